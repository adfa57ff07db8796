"""The table of the first hour: a row for what was seen, a column for each server."""

from collections import Counter
from collections.abc import Mapping, Sequence
from math import inf
from pathlib import Path
from statistics import median

from .acts import PATIENCE, STREAMS, Results
from .servers import Server

PAGE = Path(__file__).parents[2] / "docs/explanation/first-hour.md"
BEGIN, END = "<!-- by python -m benchmarks.first_hour --write -->\n", "<!-- end -->\n"

ROWS = {
    "first page": ("first page", "s"),
    "reload after a save": ("reload", "s"),
    "requests during the reload": ("requests at a reload", ""),
    "reload, a stream open": ("reload, stream", "s"),
    "that stream": ("stream at a reload", ""),
    "syntax error: the server": ("mistake", ""),
    "the terminal shows the line": ("mistake, shown", ""),
    "lines in the terminal": ("mistake, lines", "n"),
    "the browser gets": ("mistake, browser", ""),
    "fixed: back after": ("mended", "s"),
    "port taken: ends after": ("taken", "s"),
    "names the cause": ("taken, says", ""),
    "lines": ("taken, lines", "n"),
    "exit code": ("taken, code", ""),
    "Ctrl-C": ("Ctrl-C, 0 streams", "s"),
    f"Ctrl-C, {STREAMS} streams open": (f"Ctrl-C, {STREAMS} streams", "s"),
    "if not: a second Ctrl-C": (f"second Ctrl-C, {STREAMS} streams", ""),
    "streams with a clean end": (f"clean, {STREAMS} streams", ""),
    "lines of tracebacks": (f"tracebacks, {STREAMS} streams", "n"),
    "processes left behind": (f"left behind, {STREAMS} streams", "n"),
}


def table(seen: Mapping[Server, Sequence[Results]]) -> str:
    """Return the table in Markdown."""
    lines = ["| | " + " | ".join(f"`{server.name}`" for server in seen) + " |", "|---|" + "---|" * len(seen)]
    for label, (name, unit) in ROWS.items():
        cells = (cell([results[name] for results in rounds if name in results], unit) for rounds in seen.values())
        lines.append(f"| {label} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def cell(values: Sequence[float | str | None], unit: str) -> str:
    """Return the median of numbers, None being more than all of them; of words, each that was seen, with its count."""
    numbers = [inf if value is None else value for value in values if not isinstance(value, str)]
    if values and len(numbers) == len(values):
        middle = median(numbers)
        if middle == inf:
            return f"not in {PATIENCE:g} s"
        return f"{middle:.2f} s" if unit == "s" else f"{middle:g}"
    words = Counter("not in time" if value is None else f"{value}" for value in values)
    return words.most_common(1)[0][0] if len(words) == 1 else ", ".join(f"{word} ({n}x)" for word, n in words.items())


def write(text: str) -> None:
    """Put a table into its page, in place of the one that is there."""
    page = PAGE.read_text()
    before, _, rest = page.partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.partition(END)[2]}")
