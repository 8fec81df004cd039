"""Sets keys in an INI file (`.wslconfig`, `wsl.conf`) and leaves every other line as a person wrote it."""

from collections.abc import Mapping


def value_of(text: str, section: str, key: str) -> str | None:
    """Return a key's value; None: it is not set. Names are the same in upper and lower case, as in Windows."""
    lines = text.splitlines()
    place = _place(lines, section, key)
    return None if place is None else lines[place].partition("=")[2].strip()


def with_keys(text: str, section: str, wanted: Mapping[str, str]) -> str:
    """Return the text with the keys of a section set; new ones stand at its end, a new section at the end of all."""
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = text.splitlines()
    for key, value in wanted.items():
        place = _place(lines, section, key)
        if place is not None:
            lines[place] = f"{key}={value}"
            continue
        end = _end(lines, section)
        if end is None:
            lines += [*([""] if lines and lines[-1].strip() else []), f"[{section}]"]
            end = len(lines)
        lines.insert(end, f"{key}={value}")
    return "".join(line + newline for line in lines)


def _bounds(lines: list[str], section: str) -> tuple[int, int] | None:
    """Return the first line after a section's head, and the first that is no longer in it."""
    heads = [number for number, line in enumerate(lines) if line.strip().startswith("[")]
    for number in heads:
        if lines[number].strip().lower() == f"[{section.lower()}]":
            return number + 1, next((head for head in heads if head > number), len(lines))
    return None


def _place(lines: list[str], section: str, key: str) -> int | None:
    bounds = _bounds(lines, section)
    for number in range(*bounds) if bounds else ():
        if lines[number].partition("=")[0].strip().lower() == key.lower() and "=" in lines[number]:
            return number
    return None


def _end(lines: list[str], section: str) -> int | None:
    """Return where a new key of a section goes: after its last line that is not blank."""
    bounds = _bounds(lines, section)
    if bounds is None:
        return None
    begin, end = bounds
    while end > begin and not lines[end - 1].strip():
        end -= 1
    return end
