"""A look at a registry from the cluster's workers."""
