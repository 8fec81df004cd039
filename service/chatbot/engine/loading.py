"""Make the engine that the settings ask for; the heavy libraries are imported here and nowhere earlier."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from chatbot.engine.model_folder import check_model_folder
from chatbot.engine.protocol import Engine
from chatbot.settings import ConfigurationError, Settings, read_secret_file

if TYPE_CHECKING:
    import torch

    from chatbot.engine.embedding import Embedder
    from chatbot.engine.sight import Sight

log = structlog.get_logger()


def load_engine(settings: Settings) -> Engine:
    """The engine of the process: upstream for the role `api`, else a model or quotation.

    Raises:
        ConfigurationError: the model, its folder or its device cannot be used.
    """
    if settings.role == "api":
        from chatbot.engine.upstream import UpstreamEngine  # noqa: PLC0415  the engine role does without its client

        if settings.engine_key_file is None:
            raise ConfigurationError("CHATBOT_ENGINE_KEY_FILE is not set")
        key = read_secret_file(settings.engine_key_file, "ENGINE_KEY_FILE")
        return UpstreamEngine(settings.engine_url, key, settings.engine_hold_seconds)
    is_hub_id = _is_hub_id(settings.model)
    if settings.model and not is_hub_id:
        check_model_folder(Path(settings.model))
    _keep_offline(offline=not is_hub_id)
    device = _device(settings.device)
    embedder = _load_embedder(settings, device)
    if settings.model is None:
        from chatbot.engine.quotation import QuotationEngine  # noqa: PLC0415  see the module's docstring

        return QuotationEngine(embedder, settings.public_model_name)
    return _load_transformers(settings, settings.model, device, embedder)


def _is_hub_id(model: str | None) -> bool:
    """`organisation/name` that is no folder here; a path is absolute or begins with a dot."""
    return model is not None and model.count("/") == 1 and not model.startswith((".", "/")) and not Path(model).exists()


def _keep_offline(*, offline: bool) -> None:
    # Read once, when huggingface_hub is imported: this must come first.
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    if offline:
        os.environ["HF_HUB_OFFLINE"] = "1"


def _device(asked: str) -> str:
    import torch  # noqa: PLC0415  see the module's docstring

    available = torch.cuda.is_available()
    if asked == "cuda" and not available:
        raise ConfigurationError(
            "CHATBOT_DEVICE is cuda, but PyTorch sees no CUDA device: check the driver and the container's runtime, "
            "or set it to cpu"
        )
    return "cuda" if available and asked != "cpu" else "cpu"


def _load_embedder(settings: Settings, device: str) -> "Embedder":
    from chatbot.engine.embedding import Embedder, packaged_model  # noqa: PLC0415  see the module's docstring

    return Embedder(settings.embedding_model or packaged_model(), device)


def _load_transformers(settings: Settings, model: str, device: str, embedder: "Embedder") -> Engine:
    from transformers import (  # noqa: PLC0415  see the module's docstring
        AutoModelForCausalLM,
        AutoModelForImageTextToText,
        AutoTokenizer,
    )

    from chatbot.engine.transformers import TransformersEngine  # noqa: PLC0415

    log.info("loading_model", model=settings.public_model_name, device=device)
    try:
        sight = _load_sight(model)
        tokenizer: Any = sight.tokenizer if sight else AutoTokenizer.from_pretrained(model, trust_remote_code=False)
        kind: Any = AutoModelForImageTextToText if sight else AutoModelForCausalLM
        loaded: Any = kind.from_pretrained(
            model, dtype=number_format(model, device), use_safetensors=True, trust_remote_code=False
        )
    except Exception as error:  # the library raises nearly anything for a damaged folder
        raise ConfigurationError(f"CHATBOT_MODEL: cannot load {model}: {error}") from error
    loaded = loaded.to(device).eval()
    if loaded.generation_config.pad_token_id is None:
        ends = loaded.generation_config.eos_token_id
        loaded.generation_config.pad_token_id = ends[0] if isinstance(ends, list) else ends
    declared = getattr(loaded.config.get_text_config(), "max_position_embeddings", None) or settings.context_tokens
    if declared is None:
        raise ConfigurationError(
            f"CHATBOT_CONTEXT_TOKENS is not set, and {model} does not declare its context (max_position_embeddings)"
        )
    context_tokens = min(declared, settings.context_tokens or declared)
    return TransformersEngine(loaded, tokenizer, embedder, settings.public_model_name, context_tokens, sight=sight)


def _load_sight(model: str) -> "Sight | None":
    """What prepares images for `model`; None if it reads text only."""
    from transformers import AutoConfig, AutoProcessor  # noqa: PLC0415  see the module's docstring
    from transformers.models.auto.modeling_auto import (  # noqa: PLC0415
        MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES as SEEING,
    )

    from chatbot.engine.sight import Sight  # noqa: PLC0415

    if AutoConfig.from_pretrained(model, trust_remote_code=False).model_type not in SEEING:
        return None
    processors: Any = AutoProcessor  # its method has no types
    processor = processors.from_pretrained(model, trust_remote_code=False)
    sight = Sight(processor)
    if not sight.tokenizer.chat_template:
        raise ValueError("it has no chat template (chat_template.jinja), which says where images stand")
    return sight


def number_format(model: str, device: str) -> "torch.dtype":
    """The type of number that `model` computes with on `device`.

    On a GPU that of its files, if it has 16 bits: the weights then stay pages of the mapped files until they are on the
    card, while another type is made of them in host memory, all of it before the first byte moves. On most CPUs 16 bits
    are emulated and slow, so there single precision.
    """
    import torch  # noqa: PLC0415  see the module's docstring
    from transformers import AutoConfig  # noqa: PLC0415

    if device == "cpu":
        return torch.float32
    saved = AutoConfig.from_pretrained(model, trust_remote_code=False).get_text_config().dtype
    return saved if saved in (torch.float16, torch.bfloat16) else torch.bfloat16
