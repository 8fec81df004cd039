"""The chat: its images, its model, its engine, its api."""
