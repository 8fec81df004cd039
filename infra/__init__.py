"""What the platform is made of: one folder per room, and ``program.py`` that puts the rooms together."""
