"""The chat's namespace, its pods, who calls them and whom they call."""

from urllib.parse import urlsplit

from infra.chat.names import API, ENGINE, MODEL_DOWNLOAD, MODEL_PRUNE, PAGE, PAGE_PORT, PORT
from infra.cluster import selector
from infra.config import StackConfig
from infra.config.chat_models import ModelSource
from infra.data import chroma, redis
from infra.delivery.rollout import analysis_pods
from infra.network.login import login_of
from infra.plan import INGRESS, Flow, Plan, Pods, Space, World


def plan(stack: StackConfig) -> Plan:
    """Return what api, engine and page take up, and what fills and empties the model store."""
    chat = stack.chat
    entrance = INGRESS if chat.exposure.host else World.ANYWHERE
    components = [API, ENGINE]
    flows = [
        Flow(source=entrance, target=API, port=PORT, reason="people open the chat"),
        Flow(source=API, target=ENGINE, port=PORT, reason="the api has answers and embeddings computed"),
        Flow(source=API, target="redis", port=redis.PORT, reason="conversations"),
        Flow(source=API, target="chroma", port=chroma.PORT, reason="documents"),
    ]
    if login := login_of(stack):
        flows.append(login.flow(API))
    if chat.page:
        components.append(PAGE)
        flows.append(Flow(source=entrance, target=PAGE, port=PAGE_PORT, reason="people open the page"))
    if chat.api.rollout != "rolling":
        components.append(analysis_pods(API))
        flows.append(Flow(source=analysis_pods(API), target=API, port=PORT, reason="ask a new version how it does"))
    if chat.models:
        components += [MODEL_DOWNLOAD, MODEL_PRUNE]
        ports = {_port(model.source) for model in chat.models.values()}
        flows += [
            Flow(source=MODEL_DOWNLOAD, target=World.ANYWHERE, port=port, reason="fetch the model")
            for port in sorted(ports)
        ]
        flows.append(Flow(source=MODEL_PRUNE, target=ENGINE, port=PORT, reason="ask which version serves"))
    return Plan(
        spaces={"chat": Space(namespace=chat.namespace)},
        pods={name: Pods(space="chat", labels=selector(name)) for name in components},
        flows=tuple(flows),
    )


def _port(source: ModelSource) -> int:
    """Return the port that the source is asked at."""
    url = urlsplit(source.address or source.hub)
    return url.port or (80 if url.scheme == "http" else 443)
