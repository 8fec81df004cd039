"""Resources about which nothing is known but their inputs."""

from typing_extensions import override

from plugins.protocol.difference import differences
from plugins.protocol.provider import Checked, Difference, Operation, Properties, Resource, Resources
from plugins.protocol.values import reveal


class Echo(Resources):
    """Outputs are the inputs; the engine takes every other output of a previewed resource as not yet known."""

    @override
    def check(self, resource: Resource, old: Properties, new: Properties, seed: bytes) -> Checked:
        """Accept the inputs."""
        return Checked(inputs=new)

    @override
    def diff(self, resource: Resource, old_inputs: Properties, old_outputs: Properties, new: Properties) -> Difference:
        """Compare the inputs; whether a change replaces the object is not known here."""
        return Difference(changes=list(differences(reveal(old_inputs), reveal(new))))

    @override
    def create(self, resource: Resource, inputs: Properties, operation: Operation) -> tuple[str, Properties]:
        """Echo the inputs."""
        return "", inputs

    @override
    def update(
        self,
        resource: Resource,
        old_inputs: Properties,
        old_outputs: Properties,
        new: Properties,
        operation: Operation,
    ) -> Properties:
        """Echo the inputs."""
        return new

    @override
    def delete(self, resource: Resource, outputs: Properties, operation: Operation) -> None:
        """Forget it."""

    @override
    def read(
        self, resource: Resource, inputs: Properties, outputs: Properties, operation: Operation
    ) -> tuple[Properties, Properties] | None:
        """Echo what is known."""
        return inputs, outputs
