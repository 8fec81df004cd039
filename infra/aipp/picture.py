"""Who needs whom, for people: ``python -m infra.aipp.picture`` prints what stands in docs/aipp.md between two marks."""

from infra.aipp.plan import CALLS, WAVES

BEGIN, END = "<!-- from infra/aipp/picture.py -->", "<!-- end -->"


def block() -> str:
    """Return the marks and what stands between them: the picture, and the same as a table."""
    return "\n".join((BEGIN, *_picture(), "", *_table(), END))


def _picture() -> list[str]:
    """Return the lines of a Mermaid flowchart, as Git servers draw it."""
    lines = ["```mermaid", "flowchart BT"]
    for wave in sorted(set(WAVES.values())):
        its = [f'    {_id(service)}["{service}"]' for service in _of_wave(wave)]
        lines += [f'  subgraph wave{wave}["wave {wave}"]', *its, "  end"]
    lines += [f"  {_id(call.source)} {'-->' if call.waits else '-.->'} {_id(call.target)}" for call in CALLS]
    return [*lines, "```"]


def _table() -> list[str]:
    rows = [
        f"| {wave} | {service} | {_targets(service, waits=True)} | {_targets(service, waits=False)} |"
        for wave in sorted(set(WAVES.values()))
        for service in _of_wave(wave)
    ]
    return ["| wave | service | waits for | calls besides |", "|---|---|---|---|", *rows]


def _of_wave(wave: int) -> list[str]:
    return [service for service, its in WAVES.items() if its == wave]


def _targets(service: str, *, waits: bool) -> str:
    return ", ".join(call.target for call in CALLS if call.source == service and call.waits is waits)


def _id(service: str) -> str:
    return service.replace("-", "_")


if __name__ == "__main__":
    print(block())
