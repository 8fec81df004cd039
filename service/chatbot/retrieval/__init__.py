"""Documents: reading, cutting, keeping, finding, citing."""
