"""What others are asked by: the chat, GitLab, Vault, and what stands behind the stack's own ingress."""
