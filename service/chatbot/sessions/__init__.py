"""Signed-in browsers and one-time logins."""
