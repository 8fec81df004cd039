"""What people work with beside the chat."""
