"""Figures: measured side by side in one go, written with the machine and the command beside them."""
