"""What is pinned in this checkout, and what is newest of it."""
