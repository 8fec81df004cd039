"""The vendor's package AIPP: eight services, who of them needs whom, and in which order they start."""
