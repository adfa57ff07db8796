"""`python -m scripts.docs_site`: build the site of the documentation into build/site, without network.

The pages are those of `docs`, the README and what else these link to: pages of other folders, and the files of
`examples`, which the site shows on pages of their own. The navigation is the lists of docs/README.md. Examples run in
their pages where `python -m scripts.playground.fetch` has fetched Pyodide. With `--publish FOLDER` the site is copied
into the folder of its version there, beside those of other versions, which its header lists.
"""

import html
import json
import os
import re
import shutil
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from antiphon.cli.ranking import COMMON, ENDINGS, ENOUGH, PHRASES, SYNONYMS, Ranking
from scripts import docs_llms, docs_source
from scripts.playground.examples import RUN_PAGES, pack, with_buttons
from scripts.playground.fetch import is_fetched

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
STAGED = ROOT / "build/docs"
SITE = ROOT / "build/site"
OTHERS = {
    "docs/README.md": "contents.md",
    "CHANGELOG.md": "project/changes.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "MAINTAINING.md": "project/maintaining.md",
    "SECURITY.md": "project/security.md",
    "CODE_OF_CONDUCT.md": "project/code-of-conduct.md",
    "LICENSE": "project/license.md",
    "benchmarks/README.md": "project/benchmarks.md",
}
"""Pages that are elsewhere than in docs, or have another name there, and their places on the site."""
SHOWN = {
    "examples/guestbook": "A guestbook",
    "examples/compared": "A tracker in five frameworks",
    "examples/deploy": "Files for a deployment",
    "examples/deploy/kubernetes": "Files for Kubernetes",
    "examples/dialect_bottle": "A Bottle dialect",
    "examples/feature_flags": "A package with a feature",
    "examples/maintenance": "A small feature",
    "examples/frameworks": "A shop in four frameworks",
    "examples/dialects": "Twelve programs in each dialect",
}
"""Folders whose files are shown on one page, which the search leaves out, and the titles of these pages."""
HOME = "index.md"
"""The only home page: links to README.md lead here."""
LISTS = {"contents.md", "project/benchmarks.md", "project/changes.md"}
"""Pages that name what others explain, which the search leaves out."""
UNSEARCHED = "---\nsearch:\n  exclude: true\n---"
UNANSWERED = {
    "location": "contents/",
    "level": 1,
    "title": "There is no page about this",
    "text": "The pages below, if any, have some of these words. All pages are listed here.",
    "path": [],
    "tags": [],
}
"""What the search shows first where no page has enough of a question."""
LANGUAGES = {".py": "python", ".html": "html", ".conf": "nginx", ".css": "css", ".js": "js", ".md": "markdown"}

_CODE_OR_LINK = re.compile(r"^```.*?^```$|`[^`\n]+`|\]\(([^)#:]+)(#[^)]*)?\)", re.MULTILINE | re.DOTALL)
_PICTURE = re.compile(r"^!\[([^\]]*)\]\(([^)]+\.svg)\)$", re.MULTILINE)
_ENTRY = re.compile(r"^(?:-|\d\.) \[([^\]]+)\]\(([^)#:]+\.md)\)", re.MULTILINE)


def main(arguments: Sequence[str] = ()) -> int:
    """Build the site. Return the exit code of Zensical, which fails for a page that is not there."""
    parser = ArgumentParser(prog="python -m scripts.docs_site", description="Build the site of the documentation.")
    parser.add_argument("--publish", type=Path, metavar="FOLDER", help="copy the site into its version's folder there")
    options = parser.parse_args(arguments)
    stage()
    command = [sys.executable, "-m", "zensical", "build", "--clean", "--strict"]
    code = subprocess.run(command, cwd=ROOT, check=False).returncode
    if not code:
        add_ranking(SITE)
        docs_llms.write(STAGED, SITE, (DOCS / "README.md").read_text())
        # A site by itself has one version, its own.
        (SITE / "versions.json").write_text(
            json.dumps([{"version": ".", "title": docs_source.version_title(), "aliases": []}])
        )
    if not code and options.publish:
        publish(SITE, options.publish, docs_source.version())
    return code


def add_ranking(site: Path) -> None:
    """Give the site's search the weights of `antiphon docs WORDS`, and the worker that adds them up."""
    found = json.loads((site / "search.json").read_text())
    for item in found["items"]:
        item["page"] = item["location"].partition("#")[0].rstrip("/")
    locations = {re.sub(r"(^|/)index$", r"\1", place.removesuffix(".md")): source for source, place in places().items()}
    sources = {place: locations[place] for place in sorted({item["page"] for item in found["items"]}) if place}
    ranking = Ranking({place: source.read_text() for place, source in sources.items()})
    pages = {place: number for number, place in enumerate(sources)}
    numbers = {name: number for number, name in enumerate(ranking.names)}
    for item in found["items"]:
        item["page"] = pages.get(item["page"])
    weights = {
        word: [part for name, weight in sorted(having.items()) for part in (numbers[name], weight)]
        for word, having in ranking.weights.items()
    }
    found["items"] = [item for item in found["items"] if item["page"] is not None] + [UNANSWERED]
    rules = {"enough": ENOUGH, "common": COMMON, "endings": ENDINGS, "phrases": PHRASES, "synonyms": SYNONYMS}
    rules |= {"places": [pages[name.partition("#")[0]] for name in ranking.names], "weights": weights}
    (site / "search.json").write_text(json.dumps(found | {"ranking": rules}, separators=(",", ":")))
    (worker,) = site.glob("assets/javascripts/workers/search.*.js")
    shutil.copy(ROOT / "scripts/docs_search.js", worker)


def publish(site: Path, folder: Path, version: str) -> None:
    """Copy a site into the folder of its version, list all versions that are there, and lead to the newest of them."""
    shutil.copytree(site, folder / version, dirs_exist_ok=True)
    found = [path.parent.name for path in folder.glob("*/versions.json")]
    newest = sorted(found, key=lambda name: [int(part) for part in re.findall(r"\d+", name)], reverse=True)
    listed = [{"version": name, "title": name, "aliases": []} for name in newest]
    (folder / "versions.json").write_text(json.dumps(listed))
    to = f'<meta http-equiv="refresh" content="0; url={newest[0]}/"><a href="{newest[0]}/">Antiphon {newest[0]}</a>'
    (folder / "index.html").write_text(f'<!doctype html><html lang="en"><title>Antiphon</title>{to}</html>\n')


def stage() -> None:
    """Write the pages as Zensical is to read them."""
    for folder in (STAGED, SITE):
        shutil.rmtree(folder, ignore_errors=True)
    for source, place in places().items():
        target = STAGED / place
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_file():
            target.write_text(page(source))
        else:
            target.write_text(shown(source))
    for image in (*DOCS.rglob("*.png"), DOCS / "images/mark.svg"):
        target = STAGED / image.relative_to(DOCS)
        target.parent.mkdir(exist_ok=True)
        shutil.copy(image, target)
    (STAGED / "SUMMARY.md").write_text(navigation())
    shutil.copy(ROOT / "scripts/docs_site.css", STAGED / "site.css")
    shutil.copy(ROOT / "scripts/docs_site.js", STAGED / "site.js")
    shutil.copy(ROOT / "scripts/playground/page.js", STAGED / "playground.js")
    if is_fetched():
        pack(STAGED / "playground")


@cache
def places() -> Mapping[Path, str]:
    """Return the place of each page and of each folder that is shown."""
    pages = {path: str(path.relative_to(DOCS)) for path in sorted(DOCS.rglob("*.md"))}
    others = {ROOT / name: place for name, place in OTHERS.items()}
    folders = {name: f"{name}.md" for name in SHOWN}
    return pages | others | {ROOT / name: place for name, place in folders.items()}


def page(source: Path) -> str:
    """Return a page whose links lead to the places of other pages. Raises LookupError for a link that leads nowhere."""
    text = source.read_text()
    if source.suffix != ".md":
        return f"# {source.name.capitalize()}\n\n```text\n{text}```\n"
    if source in RUN_PAGES and is_fetched():
        text = with_buttons(source, text, STAGED / "playground")
    text = _PICTURE.sub(lambda found: _drawn(source, found), text)
    text += docs_source.links(source)
    linked = _CODE_OR_LINK.sub(lambda found: _linked(source, found), text)
    return f"{UNSEARCHED}\n\n{linked}" if OTHERS.get(str(source.relative_to(ROOT))) in LISTS else linked


def _drawn(source: Path, found: re.Match[str]) -> str:
    """Return a picture in SVG as a part of its page, whose colours it then takes."""
    words = html.escape(" ".join(found[1].split()))
    drawing = (source.parent / found[2]).read_text().strip()
    named = drawing.replace("<svg ", f'<svg role="img" aria-label="{words}" ', 1)
    return f'<figure class="drawing">\n{named}\n</figure>'


def _linked(source: Path, found: re.Match[str]) -> str:
    if found[1] is None:
        return found[0]
    known, target = {**places(), ROOT / "README.md": HOME}, (source.parent / found[1]).resolve()
    fragment = found[2] or ""
    if target.suffix == ".png" and target.is_relative_to(DOCS):
        known[target] = str(target.relative_to(DOCS))
    if target not in known and target.parent in known:
        target, fragment = target.parent, f"#{_anchor(target.name)}" if _is_shown(target) else ""
    if target not in known:
        raise LookupError(f"{source.relative_to(ROOT)} links to {found[1]}, which is not on the site")
    return f"]({os.path.relpath(known[target], Path(known[source]).parent)}{fragment})"


def _anchor(title: str) -> str:
    return re.sub(r"[^\w-]", "", title.lower())


def shown(folder: Path) -> str:
    """Return a page that shows the files of a folder."""
    parts = [UNSEARCHED, f"# {SHOWN[str(folder.relative_to(ROOT))]}", f"The folder `{folder.relative_to(ROOT)}`."]
    for path in sorted(folder.rglob("*")):
        if _is_shown(path):
            language = LANGUAGES.get(path.suffix, "text")
            parts += [f"## `{path.relative_to(folder)}`", f"````{language}\n{path.read_text().rstrip()}\n````"]
    return "\n\n".join(parts) + "\n"


def _is_shown(path: Path) -> bool:
    return path.is_file() and path.suffix not in {".pyc", ".json", ".jpg", ".png"} and path.stat().st_size > 0


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
    lines += ["    - Examples", *(f"        - [{title}]({name}.md)" for name, title in SHOWN.items())]
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
    sys.exit(main(sys.argv[1:]))
