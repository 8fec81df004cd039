"""How secrets reach the pods."""
