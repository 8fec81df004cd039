"""What turns messages into text and texts into vectors."""
