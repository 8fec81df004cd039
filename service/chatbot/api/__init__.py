"""The HTTP routes: each reads a request, asks a collaborator, writes a response."""
