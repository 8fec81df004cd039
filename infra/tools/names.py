"""What others must know of this room before it is declared."""

PENPOT_PORTS = {"penpot-frontend": 8080, "penpot-backend": 6060, "penpot-exporter": 6061}
"""Component -> port of its pods."""
