"""Prepares a Linux within Windows (WSL2) for a node that has a card: what a script can do, done twice without harm."""
