"""What the chat remembers: conversations in Redis, documents in Chroma."""
