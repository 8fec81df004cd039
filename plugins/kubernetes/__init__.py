"""Stand-in for Pulumi's ``kubernetes`` plugin: server-side apply through the official client, waiting, ``helm``."""
