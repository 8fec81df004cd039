"""What is measured, written down, alerted on and looked at."""
