"""Where volumes come from."""
