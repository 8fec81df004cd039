"""Every host name under which a stack serves something, whichever room serves it."""

from collections.abc import Iterator

from infra.config.types import Section

SERVED = (
    "aipp.host",
    "aipp.rabbitmq.host",
    "chat.exposure.host",
    "ci.git.server.host",
    "ci.jenkins.host",
    "delivery.argocd.host",
    "network.login.dex.host",
    "observability.stack.grafanaHost",
    "tools.penpot.host",
)
"""Paths of the fields; a test compares them with the model."""


def served_hosts(stack: Section) -> Iterator[tuple[str, str]]:
    """Yield (path of the field, host name) of everything that ``stack`` serves by a host name."""
    for path in SERVED:
        value: object = stack
        for part in path.split("."):
            value = _field(value, part) if isinstance(value, Section) else None
        if isinstance(value, str):
            yield path, value


def _field(section: Section, alias: str) -> object:
    """Return the value of the field that is ``alias`` in YAML."""
    (name,) = (name for name, field in type(section).model_fields.items() if (field.alias or name) == alias)
    value: object = getattr(section, name)
    return value
