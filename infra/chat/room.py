"""From the configuration of the chat to its components, whoever delivers them."""

import pulumi
from pulumi import Input, Output

from infra.chat.api import Api, ApiArgs
from infra.chat.engine import Engine, EngineArgs
from infra.chat.entrance import Entrance, EntranceArgs
from infra.chat.images import ChatImages, ChatImagesArgs
from infra.chat.model_store import ModelStore, ModelStoreArgs
from infra.chat.names import SECRET_FILES, SECRETS, model_folder
from infra.cluster import labels
from infra.config import StackConfig
from infra.config.chat import ModelConfig
from infra.data.room import Stores
from infra.delivery.application import Application
from infra.delivery.room import CHAT, chat_application
from infra.registry.access import Registry
from infra.registry.room import pull_secret
from infra.secrets.files import SecretFiles, SecretFilesArgs
from infra.site import Site


def declare(site: Site, registry: Registry, stores: Stores) -> str:
    """Declare the chat, or hand it to Argo CD; return its address.

    The images are built either way: with Argo CD they are what its first rollout finds. What is secret never stands in
    Git, so a Secret of ours is Pulumi's in both cases; an ExternalSecret is part of the workload.
    """
    chat = site.stack.chat
    images = ChatImages(
        "chat-images",
        ChatImagesArgs(registry=registry, accelerator="cuda" if chat.engine.gpu_count else "cpu"),
    )
    pull = pull_secret(site, registry, "chat")
    if chat.delivery == "argocd":
        if not site.stack.secrets.vault:
            _secret(site)
        Application(CHAT, chat_application(site.stack, pulumi.get_stack()), opts=site.options)
    else:
        _workload(site, images, _secret(site), stores, pull.secret if pull else None)
    return address(site.stack)


def address(stack: StackConfig) -> str:
    """Return where people open the chat."""
    exposure = stack.chat.exposure
    if exposure.host:
        port = f":{stack.network.ingress_port}" if stack.network.ingress_port else ""
        return f"{'https' if stack.network.cluster_issuer else 'http'}://{exposure.host}{port}"
    return f"http://{stack.cluster.node_address}:{exposure.node_port}"


def _secret(site: Site) -> SecretFiles:
    return SecretFiles(
        SECRETS,
        SecretFilesArgs(
            namespace=site.namespaces["chat"],
            labels=labels("chat", SECRETS),
            files=SECRET_FILES,
            values=site.secrets.values,
            vault=site.stack.secrets.vault,
        ),
        opts=site.options,
    )


def _workload(site: Site, images: ChatImages, secret: SecretFiles, stores: Stores, pull: Input[str] | None) -> None:
    """Declare what runs: engine and api; the model's volume if there is a model; an entrance if it has a host name."""
    chat, namespace = site.stack.chat, site.namespaces["chat"]
    engine = Engine(
        "engine",
        EngineArgs(
            namespace=namespace,
            image=images.engine,
            secret=secret.secret,
            secret_version=secret.version,
            cpu_millicores=chat.engine.cpu_millicores,
            memory_mib=chat.engine.memory_mib,
            shared_memory_mib=chat.engine.shared_memory_mib,
            gpu_count=chat.engine.gpu_count,
            runtime_class=chat.engine.runtime_class,
            model_claim=_model_store(site, chat.model, images.api, pull) if chat.model else None,
            model_folder=model_folder(chat.model.id, chat.model.revision) if chat.model else "",
            model_name=chat.model.id if chat.model else "",
            pull_secret=pull,
        ),
        opts=site.options,
    )
    api = Api(
        "api",
        ApiArgs(
            namespace=namespace,
            image=images.api,
            secret=secret.secret,
            secret_version=secret.version,
            engine_url=engine.url,
            redis_host=stores.redis_host,
            chroma_host=stores.chroma_host,
            replicas=chat.api.replicas,
            cpu_millicores=chat.api.cpu_millicores,
            memory_mib=chat.api.memory_mib,
            node_port=chat.exposure.node_port,
            pull_secret=pull,
        ),
        opts=site.options,
    )
    if chat.exposure.host:
        Entrance(
            "chat",
            EntranceArgs(
                namespace=namespace,
                service=api.service,
                host=chat.exposure.host,
                ingress_class=site.stack.network.ingress_class,
                cluster_issuer=site.stack.network.cluster_issuer,
            ),
            opts=site.options,
        )


def _model_store(site: Site, model: ModelConfig, image: Input[str], pull: Input[str] | None) -> Output[str]:
    """Declare the volume with the model and return its claim."""
    store = ModelStore(
        "model-download",
        ModelStoreArgs(
            namespace=site.namespaces["chat"],
            image=image,
            hub=model.hub,
            model_id=model.id,
            revision=model.revision,
            storage_class=site.stack.storage.storage_class,
            storage_gib=model.storage_gib,
            used_by="engine",
            pull_secret=pull,
        ),
        opts=site.options,
    )
    return store.claim
