"""Dashboards, written in Python and read by Grafana as JSON."""
