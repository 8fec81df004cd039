"""What lets a pod use an NVIDIA card."""
