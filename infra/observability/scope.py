"""Where questions look: in a Prometheus that others use, too, `job="api"` alone may be somebody else's.

Dashboards and alerts are the same text for every stack. What differs stands in it as ``$chat`` or ``$ours`` and is
filled in here; a dollar sign that means itself is written twice.
"""

from collections.abc import Mapping
from string import Template

from infra.config import StackConfig
from infra.observability.collector import LOG_LABELS
from infra.plan import Space

Scope = Mapping[str, str]
"""``chat``, ``data``, ``aipp`` ... -> namespace of that space; ``ours`` -> regular expression of all namespaces that
are worth an alert; ``log_namespace``, ``log_container`` -> names of Loki's labels."""


def scope_of(stack: StackConfig, spaces: Mapping[str, Space]) -> Scope:
    """Return what the questions of a stack are filled with."""
    monitors = stack.observability.monitors
    ours = sorted(space.namespace for space in spaces.values() if space.is_this_stacks)
    return {
        **{key: space.namespace for key, space in spaces.items()},
        # With a stack of our own the whole cluster is ours to look after.
        "ours": "|".join(ours) if monitors else ".*",
        "log_namespace": monitors.log_labels.namespace if monitors else _label_of("namespace"),
        "log_container": monitors.log_labels.container if monitors else _label_of("pod_container_name"),
    }


def filled(expression: str, scope: Scope) -> str:
    """Return a question as it is asked.

    Raises:
        KeyError: it names a space that the stack lacks: a mistake of whoever chose the question.
    """
    return Template(expression).substitute(scope)


def _label_of(source: str) -> str:
    (label,) = (label for label, its_source in LOG_LABELS.items() if its_source == source)
    return label
