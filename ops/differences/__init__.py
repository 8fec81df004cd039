"""How two sets of objects differ: of two commits, of a commit and a cluster, of a cluster and the state."""
