"""Pulumi's provider protocol, reduced to plain Python: what every stand-in here shares."""
