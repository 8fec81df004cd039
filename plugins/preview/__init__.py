"""Preview-only stand-in for any provider: shows what a program declares, and changes nothing anywhere."""
