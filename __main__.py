"""What ``pulumi up`` runs."""

from infra.program import deploy

deploy()
