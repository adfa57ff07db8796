"""`python -m scripts.docs_site`: build the site of the documentation into build/site, without network.

The pages are those of `docs`, the README and what else these link to: pages of other folders, and the files of
`examples`, which the site shows on pages of their own. The navigation is the lists of docs/README.md.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
STAGED = ROOT / "build/docs"
SITE = ROOT / "build/site"
OTHERS = {
    "README.md": "index.md",
    "docs/README.md": "contents.md",
    "CHANGELOG.md": "project/changes.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "SECURITY.md": "project/security.md",
    "CODE_OF_CONDUCT.md": "project/code-of-conduct.md",
    "LICENSE": "project/license.md",
    "benchmarks/README.md": "project/benchmarks.md",
}
"""Pages that are elsewhere than in docs, or have another name there, and their places on the site."""
SHOWN = (
    "examples/guestbook", "examples/deploy", "examples/dialect_bottle", "examples/feature_flags", "examples/frameworks",
)  # fmt: skip
"""Folders whose files are shown on one page, which the search leaves out."""
SHOWN_ALREADY = {"examples/dialects": "reference/dialects.md"}
"""Folders whose files a page of docs shows."""
LANGUAGES = {".py": "python", ".html": "html", ".conf": "nginx", ".css": "css", ".md": "markdown"}

_CODE_OR_LINK = re.compile(r"^```.*?^```$|`[^`\n]+`|\]\(([^)#:]+)(#[^)]*)?\)", re.MULTILINE | re.DOTALL)
_ENTRY = re.compile(r"^(?:-|\d\.) \[([^\]]+)\]\(([^)#:]+\.md)\)", re.MULTILINE)


def main() -> int:
    """Build the site. Return the exit code of Zensical, which fails for a page that is not there."""
    stage()
    command = [sys.executable, "-m", "zensical", "build", "--clean", "--strict"]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def stage() -> None:
    """Write the pages as Zensical is to read them."""
    for folder in (STAGED, SITE):
        shutil.rmtree(folder, ignore_errors=True)
    for source, place in places().items():
        target = STAGED / place
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_file():
            target.write_text(page(source))
        elif place not in SHOWN_ALREADY.values():
            target.write_text(shown(source))
    for image in DOCS.rglob("*.png"):
        target = STAGED / image.relative_to(DOCS)
        target.parent.mkdir(exist_ok=True)
        shutil.copy(image, target)
    (STAGED / "SUMMARY.md").write_text(navigation())
    shutil.copy(ROOT / "scripts/docs_site.css", STAGED / "site.css")


@cache
def places() -> Mapping[Path, str]:
    """Return the place of each page and of each folder that is shown."""
    pages = {path: str(path.relative_to(DOCS)) for path in sorted(DOCS.rglob("*.md"))}
    others = {ROOT / name: place for name, place in OTHERS.items()}
    folders = {name: f"{name}.md" for name in SHOWN} | SHOWN_ALREADY
    return pages | others | {ROOT / name: place for name, place in folders.items()}


def page(source: Path) -> str:
    """Return a page whose links lead to the places of other pages. Raises LookupError for a link that leads nowhere."""
    text = source.read_text()
    if source.suffix != ".md":
        return f"# {source.name.capitalize()}\n\n```text\n{text}```\n"
    return _CODE_OR_LINK.sub(lambda found: _linked(source, found), text)


def _linked(source: Path, found: re.Match[str]) -> str:
    if found[1] is None:
        return found[0]
    known, target = dict(places()), (source.parent / found[1]).resolve()
    fragment = found[2] or ""
    if target.suffix == ".png" and target.is_relative_to(DOCS):
        known[target] = str(target.relative_to(DOCS))
    if target not in known and target.parent in known:
        target, fragment = target.parent, f"#{_anchor(target.name)}"
    if target not in known:
        raise LookupError(f"{source.relative_to(ROOT)} links to {found[1]}, which is not on the site")
    return f"]({os.path.relpath(known[target], Path(known[source]).parent)}{fragment})"


def _anchor(title: str) -> str:
    return re.sub(r"[^\w-]", "", title.lower())


def shown(folder: Path) -> str:
    """Return a page that shows the files of a folder."""
    parts = ["---\nsearch:\n  exclude: true\n---", f"# {folder.relative_to(ROOT)}"]
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix not in {".pyc", ".json", ".jpg", ".png"} and path.stat().st_size:
            language = LANGUAGES.get(path.suffix, "text")
            parts += [f"## `{path.relative_to(folder)}`", f"````{language}\n{path.read_text().rstrip()}\n````"]
    return "\n\n".join(parts) + "\n"


# The navigation


def navigation() -> str:
    """Return the navigation as a list: the lists of docs/README.md, in its sections, and then the project's pages."""
    sections = (DOCS / "README.md").read_text().split("\n## ")
    lines = ["- [Antiphon](index.md)", "- Tutorial", *_groups(sections[0])]
    for section in sections[1:]:
        title, _, text = section.partition("\n")
        lines += [f"- {title}", *_groups(text)]
    lines += ["- Project", "    - [All pages](contents.md)"]
    lines += [f"    - [{_title(place)}]({place})" for name, place in OTHERS.items() if place.startswith("project/")]
    lines += ["    - Examples", *(f"        - [{Path(name).name.capitalize()}]({name}.md)" for name in SHOWN)]
    return "\n".join(lines) + "\n"


def _groups(text: str) -> Iterator[str]:
    entries, *groups = text.split("\n### ")
    yield from (f"    - [{name}]({target})" for name, target in _entries(entries))
    for group in groups:
        title, _, entries = group.partition("\n")
        yield from (f"    - {title}", *(f"        - [{name}]({target})" for name, target in _entries(entries)))


def _entries(text: str) -> Iterator[tuple[str, str]]:
    """Return the names and the targets of a list's links, those that begin an entry."""
    found = [(name.replace("`", ""), target) for name, target in _ENTRY.findall(text)]
    yield from found
    targets = [target for _, target in found]
    if "reference/dialects.md" in targets:
        yield from _further_dialects(targets)


def _further_dialects(listed: list[str]) -> Iterator[tuple[str, str]]:
    """Return the pages to which those of the dialects themselves lead, with their titles."""
    for path in sorted((DOCS / "reference/dialects").glob("*.md")):
        target = str(path.relative_to(DOCS))
        if target not in listed:
            yield path.read_text().partition("\n")[0].removeprefix("# "), target


def _title(place: str) -> str:
    return Path(place).stem.replace("-", " ").capitalize()


if __name__ == "__main__":
    sys.exit(main())
