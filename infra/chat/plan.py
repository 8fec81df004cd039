"""The chat's namespace, its pods, who calls them and whom they call."""

from infra.chat.names import PORT
from infra.cluster import selector
from infra.config import StackConfig
from infra.data import chroma, redis
from infra.plan import INGRESS, Flow, Plan, Pods, Space, World


def plan(stack: StackConfig) -> Plan:
    """Return what api and engine take up, and the download of the model if there is one."""
    entrance = INGRESS if stack.chat.exposure.host else World.ANYWHERE
    components = ["api", "engine"]
    flows = [
        Flow(source=entrance, target="api", port=PORT, reason="people open the page"),
        Flow(source="api", target="engine", port=PORT, reason="the api has answers and embeddings computed"),
        Flow(source="api", target="redis", port=redis.PORT, reason="conversations"),
        Flow(source="api", target="chroma", port=chroma.PORT, reason="documents"),
    ]
    if stack.chat.model:
        components.append("model-download")
        flows.append(Flow(source="model-download", target=World.ANYWHERE, port=443, reason="fetch the model"))
    return Plan(
        spaces={"chat": Space(namespace=stack.chat.namespace)},
        pods={name: Pods(space="chat", labels=selector(name)) for name in components},
        flows=tuple(flows),
    )
