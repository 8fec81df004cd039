"""Is a folder a model that we can and may load? Asked before anything heavy is imported."""

import json
from pathlib import Path
from typing import Any

from chatbot.settings import ConfigurationError

INDEX = "model.safetensors.index.json"
PROCESSORS = ("preprocessor_config.json", "processor_config.json")
TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.json")


def check_model_folder(folder: Path) -> None:
    """Return if `folder` holds a language model in safetensors form that needs no code of its own.

    Raises:
        ConfigurationError: names the folder, everything that is wrong with it, and the fix.
    """
    if not folder.is_dir():
        raise ConfigurationError(
            f"CHATBOT_MODEL: {folder} is not a folder. Give it the folder of a downloaded model (the one with "
            "config.json), or leave it unset to get quotations from the documents"
        )
    problems = [*_config_problems(folder), *_weight_problems(folder)]
    if not any((folder / name).is_file() for name in TOKENIZERS):
        problems.append(f"no tokenizer ({' or '.join(TOKENIZERS)})")
    if problems:
        raise ConfigurationError(
            f"CHATBOT_MODEL: {folder} is not a usable model: {'; '.join(problems)}. Download the whole repository of "
            "the model (config.json, *.safetensors, tokenizer files) into one folder"
        )


def _config_problems(folder: Path) -> list[str]:
    path = folder / "config.json"
    if not path.is_file():
        return ["no config.json"]
    config = _json(path)
    if config is None:
        return ["config.json is not a JSON object (a download cut short?)"]
    problems = []
    if not config.get("model_type"):
        problems.append("config.json has no model_type")
    if "auto_map" in config:
        problems.append("config.json asks for code from its repository (auto_map), which is never run here")
    if "vision_config" in config and not any((folder / name).is_file() for name in PROCESSORS):
        problems.append(f"no {PROCESSORS[0]}, by which a model that sees prepares images")
    return problems


def _weight_problems(folder: Path) -> list[str]:
    index = folder / INDEX
    if index.is_file():
        shards = (_json(index) or {}).get("weight_map")
        if not isinstance(shards, dict):
            return [f"{INDEX} is damaged"]
        missing = sorted({str(name) for name in shards.values() if not (folder / str(name)).is_file()})
        return [f"missing weights: {', '.join(missing)}"] if missing else []
    if list(folder.glob("*.safetensors")):
        return []
    if list(folder.glob("*.bin")) or list(folder.glob("*.pt")):
        return ["its weights are pickles (*.bin), which can run code when loaded: convert them to safetensors"]
    return ["no *.safetensors weights"]


def _json(path: Path) -> dict[str, Any] | None:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None
