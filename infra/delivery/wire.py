"""Typed pieces of Kubernetes objects as they stand inside a custom resource.

Pulumi renames the fields of the kinds that it knows; what is inside a CustomResource goes out as it is.
"""

from collections.abc import Mapping
from typing import Any

from pulumi_kubernetes._tables import SNAKE_TO_CAMEL_CASE_TABLE

_FREE_KEYS = frozenset({"labels", "annotations", "match_labels", "node_selector", "requests", "limits", "data"})
"""Fields whose keys are people's own words."""


def wire(value: Any) -> Any:
    """Return ``value`` with the API's field names: ``run_as_user`` becomes ``runAsUser``; Outputs stay as they are."""
    match value:
        case Mapping():
            return {
                SNAKE_TO_CAMEL_CASE_TABLE.get(key, key): dict(each)
                if key in _FREE_KEYS and isinstance(each, Mapping)
                else wire(each)
                for key, each in value.items()
                if each is not None
            }
        case list() | tuple():
            return [wire(each) for each in value]
        case _:
            return value
