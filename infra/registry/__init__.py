"""Images: the registry they live in, how ours are built, how others' are mirrored."""
