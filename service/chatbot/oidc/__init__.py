"""Signing in through the organisation: OpenID Connect, authorization code flow with PKCE."""
