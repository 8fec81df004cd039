"""Secrets of the observability stack."""

from infra.config.secret_keys.row import SecretKey, unless_in_vault

OBSERVABILITY = (
    SecretKey(
        name="grafanaAdminPassword",
        purpose="the administrator to Grafana, where nobody else can log in",
        is_needed=unless_in_vault(lambda stack: stack.observability.stack),
    ),
)
