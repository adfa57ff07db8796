"""Pages of the site for tools that read text: llms.txt (llmstxt.org), the reference in one file, and each page.

Each page is beside its HTML, as Markdown: `how-to/sessions.md` for `how-to/sessions/`.
"""

import re
from collections.abc import Iterator
from pathlib import Path

ALL = "llms-full.txt"
"""The file that has all of the reference."""
INTRODUCTION = """\
# Antiphon

> One HTTP Request and one Response for every Python web app, over WSGI, ASGI and RSGI. You write a handler once, as
> `def` or `async def`.

How to install it: [Extras](reference/extras.md). Import `App`, `Request`, `Response` and `abort` from `antiphon`,
features from `antiphon.features`, the test client from `antiphon.testing`. Handlers take the request and return plain
values.
"""

_ENTRY = re.compile(r"^(?:-|\d\.) \[([^\]]+)\]\(([^)#:]+\.md)\):? ?(.*)$", re.MULTILINE)
_FOR_THE_SITE = re.compile(r"\A---\n.*?\n---\n+|\n<div class=\"run\"[^>]*></div>\n", re.DOTALL)


def write(staged: Path, site: Path, contents: str) -> None:
    """Write all of them into the site, from the staged pages and the lists of docs/README.md."""
    for page in staged.rglob("*.md"):
        if page.name != "SUMMARY.md":
            target = site / page.relative_to(staged)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(_FOR_THE_SITE.sub("", page.read_text()))
    full = reference(site, contents)
    (site / ALL).write_text(full)
    (site / "llms.txt").write_text(overview(contents, len(full.encode())))


def overview(contents: str, size: int) -> str:
    """Return llms.txt, by the lists of docs/README.md and the size of the reference in bytes."""
    parts = [INTRODUCTION]
    for title, entries in sections(contents):
        lines = [f"- [{name}]({target}){f': {notes}' if notes else ''}" for name, target, notes in entries]
        if title.startswith("Reference") and not any("## Reference" in part for part in parts):
            whole = f"- [All of the reference in one file]({ALL}): {size / 1000:,.0f} kB of Markdown"
            parts.append(f"## Reference\n\n{whole}\n")
        parts.append(f"## {title}\n\n" + "\n".join(lines) + "\n")
    optional = ("project/benchmarks", "project/changes", "project/contributing", "project/security")
    named = [f"- [{Path(name).name.capitalize()}]({name}.md)" for name in optional]
    return "\n".join([*parts, "## Optional\n\n" + "\n".join(named) + "\n"])


def sections(contents: str) -> Iterator[tuple[str, list[tuple[str, str, str]]]]:
    """Yield the lists of docs/README.md: the title of each, and its entries' names, pages and words."""
    for section in contents.split("\n## "):
        title, _, text = section.partition("\n")
        entries, *groups = text.split("\n### ")
        name = "Tutorial" if title.startswith("# ") else title
        if found := _ENTRY.findall(entries):
            yield name, _told(found)
        for group in groups:
            part, _, entries = group.partition("\n")
            yield f"{name}: {part}", _told(_ENTRY.findall(entries))


def _told(found: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    return [(name.replace("`", ""), target, notes) for name, target, notes in found]


def reference(site: Path, contents: str) -> str:
    """Return all pages of the reference as one, in the order of docs/README.md, and then those it does not list."""
    listed = [
        target for _, entries in sections(contents) for _, target, _ in entries if target.startswith("reference/")
    ]
    rest = sorted(path.relative_to(site).as_posix() for path in (site / "reference").rglob("*.md"))
    pages = [*dict.fromkeys([*listed, *rest])]
    return "\n".join(f"<!-- {name} -->\n\n{(site / name).read_text().strip()}\n" for name in pages)
