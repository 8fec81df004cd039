"""Where the configuration names a namespace."""

from collections.abc import Iterator

from infra.config.types import Section


def fields_naming(section: Section, namespace: str, path: str = "") -> Iterator[str]:
    """Yield the paths of the fields that name ``namespace``, as they stand in YAML."""
    for name, field in type(section).model_fields.items():
        value, here = getattr(section, name), f"{path}{field.alias or name}"
        if isinstance(value, Section):
            yield from fields_naming(value, namespace, f"{here}.")
        elif name.endswith("namespace") and value == namespace:
            yield here
