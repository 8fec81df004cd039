"""What ``make verify`` finds out, one subject a file; each check takes what was read and returns a finding."""
