"""What Argo CD delivers."""
