"""No host name is forgotten where certificates, logins and clashes are thought of."""

from collections.abc import Iterator
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from infra.config import StackConfig
from infra.config.hosts import SERVED, served_hosts
from infra.config.types import HostName
from tests.infra.network.support import OURS, stack_of

SERVED_BY_OTHERS = {"tools.penpot.database.host", "tools.penpot.redis.host"}
"""Names that the stack calls, but does not serve."""
(_HOST_NAME,) = (each for each in HostName.__metadata__)  # type: ignore[attr-defined]  # Annotated has it


def paths(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Yield the path of every field that is a host name."""
    for name, field in model.model_fields.items():
        where = f"{prefix}{field.alias or name}"
        for section in sections(field.annotation):
            yield from paths(section, f"{where}.")
        if is_host_name(field):
            yield where


def sections(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) is not Annotated:
        for each in get_args(annotation):
            yield from sections(each)


def is_host_name(field: FieldInfo) -> bool:
    choices = (field.annotation, *get_args(field.annotation))
    return _HOST_NAME in field.metadata or any(_HOST_NAME in getattr(each, "__metadata__", ()) for each in choices)


def test_every_host_name_of_the_model_is_served_by_us_or_by_others() -> None:
    assert set(paths(StackConfig)) == {*SERVED} | SERVED_BY_OTHERS


def test_hosts_that_are_configured_are_found() -> None:
    assert dict(served_hosts(stack_of(OURS))) == {
        "chat.exposure.host": "chat.aihub.local",
        "network.login.dex.host": "login.aihub.local",
    }
