"""What is backed up, one file for each kind of store: how it is copied, filled again, and what of it is compared."""
