"""What a look must know of the stack: its configuration, and everything that it declares."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from infra.config import StackConfig
from infra.plan import Plan
from infra.recorder import Recording
from infra.stackfile import record_stack, stack_of
from ops.access import NODE_CONTEXT


@dataclass(frozen=True, kw_only=True)
class Declared:
    """One stack, whoever delivers its workload."""

    name: str
    """Name of the stack."""
    stack: StackConfig
    """Its configuration."""
    recording: Recording
    """Everything that it declares."""
    plan: Plan
    """Its namespaces, its pods, and whom they call."""

    @property
    def namespaces(self) -> frozenset[str]:
        """The namespaces that it makes."""
        return frozenset(space.namespace for space in self.plan.spaces.values() if space.ours)

    @property
    def own_namespaces(self) -> frozenset[str]:
        """Those, and the ones that stand in Git."""
        in_git = {each.object_name for each in self.recording.objects() if each.kind == "Namespace"}
        return self.namespaces | in_git

    @property
    def pods_use_registry(self) -> bool:
        """Whether pods call the registry by its name, too: those that build images, or look for new ones."""
        return any(flow.target == "registry" and flow.source in self.plan.pods for flow in self.plan.flows)

    @property
    def own_node(self) -> bool:
        """Whether its cluster is the node that this project makes."""
        return self.stack.cluster.context == NODE_CONTEXT

    @property
    def on_this_machine(self) -> bool:
        """Whether this machine is the cluster's node: the node is ours, or its ports lead to a controller of ours.

        A NodePort alone says nothing: the node may be elsewhere, or a container to which Docker leads the port.
        """
        return self.own_node or self.stack.network.controller is not None

    def manifests(self) -> Iterator[Mapping[str, Any]]:
        """Yield everything that says something about objects: manifests, and the values that charts are given."""
        for resource in self.recording.resources:
            if resource.kind:
                yield resource.properties
            elif values := resource.properties.get("values"):
                yield values


def declared(name: str) -> Declared:
    """Run the program of a stack of this checkout without an engine.

    Raises:
        ConfigError: its configuration is wrong.
    """
    # The whole program: what judges a stack that is given needs none of it.
    from infra.gitops import declare_workload  # noqa: PLC0415
    from infra.program import plan  # noqa: PLC0415

    stack, recording = stack_of(name), record_stack(declare_workload, name)
    return Declared(name=name, stack=stack, recording=recording, plan=plan(stack))


def walk(value: Any) -> Iterator[Mapping[str, Any]]:
    """Yield every mapping within a value, outermost first."""
    if isinstance(value, Mapping):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from walk(each)
