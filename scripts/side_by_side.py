"""The part of docs/reference/dialects.md that says how long the programs of `examples/dialects` take in each way."""

import json
from pathlib import Path
from typing import Any

from examples.dialects.programs import DIFFERENT, NATIVE, PROGRAMS, Program

FIGURES = Path(__file__).parents[1] / "benchmarks/side_by_side.json"
NAMES = {
    NATIVE: "Antiphon",
    "flask": "Flask",
    "werkzeug": "Werkzeug",
    "kay": "Kay",
    "microdot": "Microdot",
    "webob": "WebOb",
    "pyramid": "Pyramid",
    "asok": "Asok",
}
Times = tuple[float, float | None]
"""Microseconds a request, and those on the original."""
NOTES = DIFFERENT | {
    "file/microdot": "Microdot reads files on the event loop; here a thread does, or the server sends them, as Granian"
}
"""What is not to be seen in the times of a dialect, or of a program in a dialect."""


def figures() -> Any:
    """Return what `benchmarks.side_by_side` has measured."""
    return json.loads(FIGURES.read_text())


def side_by_side() -> str:
    """Return a table of all times, and a list of the programs, as Markdown."""
    measured = figures()
    versions = ", ".join(f"{NAMES[way]} {measured['versions'][way]}" for way in NAMES if way in measured["versions"])
    told = (
        f"Measured on {measured['when']} with {measured['python']}, {versions}, one request at a time in one process,"
        " over WSGI; Microdot's programs over ASGI, since their functions are `async def`."
    )
    listed = [f"- **{_title(program)}.** {program.text}" for program in PROGRAMS]
    notes = "\n".join(f"- `{place}`: {note}." for place, note in NOTES.items())
    return "\n\n".join([_times(measured["programs"]), told, "\n".join(listed), "Where originals differ:", notes])


def _times(programs: dict[str, Any]) -> str:
    ways = [way for way in NAMES if any(way in times for times in programs.values())]
    rows = [["program", *(NAMES[way] for way in ways)], ["---", *("---:" for _ in ways)]]
    for program in PROGRAMS:
        times = programs.get(program.name, {})
        rows.append(
            [f"[{_title(program)}](../../examples/dialects/{program.name})", *(_cell(times.get(way)) for way in ways)]
        )
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _cell(times: Times | None) -> str:
    if times is None:
        return ""
    ours, theirs = times
    return f"{ours:.0f} µs" if theirs is None else f"{theirs / ours:.1f}x"


def _title(program: Program) -> str:
    return program.name.capitalize().replace("_", "-").replace("Json", "JSON")
