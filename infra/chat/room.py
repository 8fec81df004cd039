"""From the configuration of the chat to its components, whoever delivers them."""

from dataclasses import dataclass

import pulumi
from pulumi import Input, ResourceOptions

from infra.chat.api import Api, ApiArgs
from infra.chat.api_login import api_login
from infra.chat.engine import Engine, EngineArgs
from infra.chat.entrance import Entrance, EntranceArgs
from infra.chat.images import ChatImages, ChatImagesArgs, page_image
from infra.chat.model_store import ModelStore, ModelStoreArgs
from infra.chat.names import ANALYSIS_SECRET, API, API_PATHS, ENGINE, MODEL_STORE, PAGE, PAGE_PORT, PORT, SECRETS
from infra.chat.page import Page, PageArgs
from infra.chat.secret_files import secret_files
from infra.chat.store_pod import model_folder
from infra.config import StackConfig
from infra.data.room import Stores
from infra.delivery import analysis
from infra.delivery.room import Delivery, hand_over
from infra.network.address import cluster_issuer, public_url
from infra.network.authorities import version_of
from infra.observability.names import otlp_endpoint
from infra.registry.access import Registry
from infra.registry.room import pull_secret
from infra.secrets.files import SecretFiles, declare_secret
from infra.site import Site

CUDA_GIB = 1
"""What CUDA takes of a card for itself, beside the memory that PyTorch hands out."""


@dataclass(frozen=True, kw_only=True)
class Images:
    """References with digest."""

    api: Input[str]
    """Target ``api``."""
    engine: Input[str]
    """Target ``engine``."""
    page: Input[str] | None
    """The page's own; None: the api serves it."""


def declare(site: Site, registry: Registry, stores: Stores, delivery: Delivery) -> str:
    """Declare the chat, or hand it to Argo CD; return its address.

    The images are built either way: with Argo CD they are what its first rollout finds. What is secret never stands in
    Git, so a Secret of ours is Pulumi's in both cases; an ExternalSecret is part of the workload.
    """
    chat = site.stack.chat
    if chat.engine.gpu_count and not chat.engine.model:
        pulumi.log.warn(
            f"aihub:chat.engine.gpuCount is {chat.engine.gpu_count}, and engine.model names no version of chat.models: "
            "the engine holds a card to quote passages. Name one, or set gpuCount to 0."
        )
    built = ChatImages(
        "chat-images",
        ChatImagesArgs(registry=registry, accelerator="cuda" if chat.engine.gpu_count else "cpu"),
    )
    page = page_image(registry, ResourceOptions()) if chat.page else None
    pull = pull_secret(site, registry, "chat")
    if chat.delivery == "argocd":
        if not site.stack.secrets.vault:
            _secrets(site)
        hand_over(site, delivery, [built, *([page] if page else [])])
    else:
        images = Images(api=built.api, engine=built.engine, page=page.reference if page else None)
        _workload(site, images, _secrets(site), stores, pull.secret if pull else None)
    return address(site.stack)


def address(stack: StackConfig) -> str:
    """Return where people open the chat."""
    exposure = stack.chat.exposure
    if exposure.host:
        return public_url(stack, exposure.host)
    return f"http://{stack.cluster.node_address}:{exposure.node_port}"


def _secrets(site: Site) -> SecretFiles:
    """Declare what the pods read, and what the analysis of a new version does; return the pods' own."""
    if site.stack.chat.api.rollout != "rolling":
        declare_secret(site, "chat", ANALYSIS_SECRET, "chat", analysis.SECRET_FILES)
    return declare_secret(site, "chat", SECRETS, "chat", secret_files(site.stack))


def _workload(site: Site, images: Images, secret: SecretFiles, stores: Stores, pull: Input[str] | None) -> None:
    """Declare what runs: engine and api; where they are configured, models, a page of its own, an entrance."""
    stack, chat, namespace = site.stack, site.stack.chat, site.namespaces["chat"]
    serving = chat.engine.model
    store = _model_store(site, images, secret, pull) if chat.models else None
    engine = Engine(
        ENGINE,
        EngineArgs(
            namespace=namespace,
            image=images.engine,
            secret=secret.secret,
            secret_version=secret.version,
            cpu_millicores=chat.engine.cpu_millicores,
            memory_mib=chat.engine.memory_mib,
            shared_memory_mib=chat.engine.shared_memory_mib,
            gpu_count=chat.engine.gpu_count,
            gpu_memory_fraction=gpu_memory_fraction(stack),
            runtime_class=chat.engine.runtime_class or stack.gpu.runtime_for(chat.engine.gpu_count),
            model_claim=store.claim if store and serving else None,
            model_folder=model_folder(serving, chat.models[serving]) if serving else "",
            model_name=serving or "",
            context_tokens=chat.models[serving].context_tokens if serving else None,
            otlp_endpoint=otlp_endpoint(stack),
            pull_secret=pull,
        ),
        opts=site.options,
    )
    Api(
        API,
        ApiArgs(
            namespace=namespace,
            image=images.api,
            secret=secret.secret,
            secret_version=secret.version,
            engine_url=engine.url,
            engine_has_model=serving is not None,
            redis_host=stores.redis_host,
            chroma_host=stores.chroma_host,
            replicas=chat.api.replicas,
            cpu_millicores=chat.api.cpu_millicores,
            memory_mib=chat.api.memory_mib,
            otlp_endpoint=otlp_endpoint(stack),
            login=api_login(stack),
            rollout=chat.api.rollout,
            analysis=stack.delivery.analysis,
            analysis_secret=ANALYSIS_SECRET,
            node_port=chat.exposure.node_port,
            pull_secret=pull,
        ),
        opts=site.options,
    )
    if chat.page and images.page is not None:
        Page(
            PAGE,
            PageArgs(
                namespace=namespace,
                image=images.page,
                replicas=chat.page.replicas,
                cpu_millicores=chat.page.cpu_millicores,
                memory_mib=chat.page.memory_mib,
                pull_secret=pull,
            ),
            opts=site.options,
        )
    if chat.exposure.host:
        api, page = (API, PORT), (PAGE, PAGE_PORT)
        Entrance(
            "chat",
            EntranceArgs(
                namespace=namespace,
                routes={"/": page, **dict.fromkeys(API_PATHS, api)} if chat.page else {"/": api},
                host=chat.exposure.host,
                ingress_class=stack.network.ingress_class,
                cluster_issuer=cluster_issuer(stack),
            ),
            opts=site.options,
        )


def _model_store(site: Site, images: Images, secret: SecretFiles, pull: Input[str] | None) -> ModelStore:
    chat = site.stack.chat
    return ModelStore(
        MODEL_STORE,
        ModelStoreArgs(
            namespace=site.namespaces["chat"],
            image=images.api,
            models=chat.models,
            serving=chat.engine.model,
            secret=secret.secret,
            storage_class=site.stack.storage.storage_class,
            storage_gib=chat.model_store.storage_gib,
            pull_secret=pull,
            authorities=version_of(site.stack),
        ),
        opts=site.options,
    )


def gpu_memory_fraction(stack: StackConfig) -> float | None:
    """Return the part of a card that PyTorch may hand out; None where no share, or no card's size, is stated."""
    share, card = stack.chat.engine.gpu_memory_gib, stack.gpu.memory_gib
    return (share - CUDA_GIB) / card if share and card else None
