"""What differs between two sets of declared objects, object by object and field by field; as Markdown for a review."""

import difflib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from plugins.kubernetes.replacement import replacing
from plugins.kubernetes.settings import Settings
from plugins.protocol.difference import differences, property_path

_HASHED = re.compile(r"^((?:ConfigMap|Job) .+)-[0-9a-f]{10}$")
"""A name that ends in a hash of the content: the object before and after a change is the same one to a reader."""
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_LOOKS_LIKE_JSON = re.compile(r"$|true$|false$|null$|[-0-9.e+]+$|[\[{\"]")
SHOWN = 160
"""Characters of a value that are shown."""
FOLDED_LINES = 25
"""An object with more changed lines is folded."""


PULUMI, ARGOCD = "Pulumi", "Argo CD"
"""Who applies an object."""


def titled(content: Mapping[str, Any], type_token: str = "", name: str = "") -> str:
    """Return ``Kind namespace/name`` of a manifest or a chart's release; ``type name`` of what is neither."""
    metadata = content.get("metadata") or {}
    if type_token.startswith("kubernetes:helm.sh/"):
        return f"Release {content.get('namespace', '')}/{content.get('name', '')}"
    if "kind" not in content or "name" not in metadata:
        return f"{type_token} {name}"
    place = f"{metadata['namespace']}/" if metadata.get("namespace") else ""
    return f"{content['kind']} {place}{metadata['name']}"


@dataclass(frozen=True, kw_only=True)
class Declared:
    """One object as a side declares it."""

    what: str
    """``Kind namespace/name``."""
    owner: str
    """Who applies it."""
    content: Mapping[str, Any]
    """Its manifest, or the inputs of what is no manifest; no secret."""
    retained: bool = False
    """Whether it stays when it is no longer declared."""

    @property
    def key(self) -> str:
        """Return what it is called on both sides."""
        found = _HASHED.match(self.what)
        return found[1] if found else self.what

    @property
    def is_hashed_job(self) -> bool:
        """Whether it is a Job whose name ends in a hash of what it depends on, which may be secrets."""
        return self.what.startswith("Job ") and self.key != self.what


@dataclass(frozen=True, kw_only=True)
class Changed:
    """One object on both sides, differently."""

    before: Declared
    after: Declared
    lines: tuple[str, ...]
    """``- path: old`` and ``+ path: new``."""
    renewed: tuple[str, ...]
    """Paths for which the API server wants a new object in place of the old."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Everything that differs."""

    added: tuple[Declared, ...]
    removed: tuple[Declared, ...]
    changed: tuple[Changed, ...]
    same: int
    """How many objects do not differ."""

    @property
    def empty(self) -> bool:
        """Whether nothing differs."""
        return not (self.added or self.removed or self.changed)


def compare(before: Sequence[Declared], after: Sequence[Declared]) -> Comparison:
    """Return what differs, sorted by name."""
    old, new = ({each.key: each for each in side} for side in (before, after))
    both = sorted(old.keys() & new.keys())
    changed = [found for key in both if (found := _changed(old[key], new[key]))]
    return Comparison(
        added=tuple(new[key] for key in sorted(new.keys() - old.keys())),
        removed=tuple(old[key] for key in sorted(old.keys() - new.keys())),
        changed=tuple(changed),
        same=len(both) - len(changed),
    )


def _changed(before: Declared, after: Declared) -> Changed | None:
    lines = [f"- owner: {before.owner}", f"+ owner: {after.owner}"] if before.owner != after.owner else []
    lines += changed_lines(before.content, after.content)
    return Changed(before=before, after=after, lines=tuple(lines), renewed=_renewed(before, after)) if lines else None


def _renewed(before: Declared, after: Declared) -> tuple[str, ...]:
    """Return why a new object is needed; the names of hashed ones change by design."""
    old, new = dict(before.content), dict(after.content)
    if "kind" not in old or "apiVersion" not in old or before.what != after.what:
        return ()
    changed = [path for path, _ in differences(old, new)]
    found = replacing(changed, old, new, Settings(enable_config_map_mutable=True, enable_secret_mutable=True))
    return tuple(sorted({property_path(path) for path in found}))


def fields(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (path, value) of every leaf; members of a list that have a name go by it, whatever their position."""
    match value:
        case dict() if value:
            for key in sorted(value):
                yield from fields(value[key], _below(path, key))
        case list() if value:
            names = [each.get("name") if isinstance(each, dict) else None for each in value]
            named = None not in names and len(set(names)) == len(names)
            for index, each in enumerate(value):
                rest = {key: item for key, item in each.items() if key != "name"} if named else each
                yield from fields(rest, f"{path}[{names[index] if named else index}]")
        case _:
            yield path, value


def _below(path: str, key: str) -> str:
    if not _PLAIN_KEY.fullmatch(key):
        return f'{path}["{key}"]'
    return f"{path}.{key}" if path else key


def changed_lines(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return the fields that differ: ``- path: old``, ``+ path: new``; of long texts, only the lines that do."""
    old, new = dict(fields(dict(before))), dict(fields(dict(after)))
    lines: list[str] = []
    for path in sorted(old.keys() | new.keys()):
        left, right = old.get(path), new.get(path)
        if path in old and path in new and left == right and type(left) is type(right):
            continue
        if isinstance(left, str) and isinstance(right, str) and ("\n" in left or "\n" in right):
            within = [*difflib.unified_diff(left.splitlines(), right.splitlines(), n=0, lineterm="")][2:]
            lines += [f"  {path}:", *(f"{line[0]}   {_short(line[1:])}" for line in within if line[0] in "+-")]
            continue
        lines += [f"- {path}: {shown(left)}"] if path in old else []
        lines += [f"+ {path}: {shown(right)}"] if path in new else []
    return lines


def shown(value: Any) -> str:
    """Return a value as text; a string that could be taken for something else stands in quotes."""
    plain = isinstance(value, str) and value.isprintable() and not _LOOKS_LIKE_JSON.match(value)
    return _short(value if plain else json.dumps(value, ensure_ascii=False))


def _short(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}... ({len(text)} characters)"


def markdown(title: str, found: Comparison) -> str:
    """Return the comparison as a comment: counts first, then what is lost, then the rest."""
    counts = (
        f"{len(found.added)} added, {len(found.removed)} removed, {len(found.changed)} changed, {found.same} the same"
    )
    lines = [f"#### {title}", "", counts, ""]
    lines += [f"- removed: {_code(each.what)} ({each.owner}){_kept(each)}" for each in found.removed]
    lines += [f"- added: {_code(each.what)} ({each.owner})" for each in found.added]
    for each in found.changed:
        lines += [*([""] if lines[-1] else []), *_block(each)]
    return "\n".join(lines).rstrip() + "\n"


def _block(changed: Changed) -> list[str]:
    was = f", was {_code(changed.before.what)}" if changed.before.what != changed.after.what else ""
    head = f"changed: {_code(changed.after.what)} ({changed.after.owner}){was}"
    if changed.renewed:
        head += f" - **made anew** because of {', '.join(_code(path) for path in changed.renewed)}"
    # A fence longer than any run of backticks inside: no content ends it.
    longest = max((len(run) for line in changed.lines for run in re.findall(r"`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    body = [f"{fence}diff", *changed.lines, fence]
    if len(changed.lines) <= FOLDED_LINES:
        return [head, *body]
    return [head, "", f"<details><summary>{len(changed.lines)} lines</summary>", "", *body, "", "</details>"]


def _kept(removed: Declared) -> str:
    """Say what becomes of an object that holds data; both owners leave those alone."""
    if removed.what.startswith("PersistentVolumeClaim "):
        return " - **its data stay in the cluster, and nothing uses them any more**"
    return " - it stays in the cluster" if removed.retained else ""


def _code(text: str) -> str:
    return "`" + text.replace("`", "'") + "`"
