"""The tutorial as its readers follow it: each block is typed into the file that the sentence before it names.

These are the sentences, at the end of a paragraph:

    A new file, `F`:                                    Replace all of `F`:
    Add to the end of `F`:                              Replace the imports of `F`:
    Replace the function|class|method `N` in `F`:       Replace `N` and `M` in `F`:
    In `F`, below the line|class|function `N`, add:     Replace the element `N` of `F`:

A sentence "Delete the function `N` of `F`" needs no block. In a block of `console`, commands of ``FILES`` are run, and
those of curl asked. Everything else, such as what a server is told, has a file with an absolute path.
"""

import ast
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs/tutorial").glob("[0-9]-*.md"))
FILES = ("mkdir guestbook", "mv ", "rm ")

_BLOCK = re.compile(r"^```(\w+)(?: title=\"([^\"]+)\")?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_DELETE = re.compile(r"elete the function `(\w+)`\s+of\s+`([^`]+)`")
_COMMAND = re.compile(r"^\$ ((?:.*\\\n)*.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)


class Unclear(Exception):
    """A block of which nobody can say where it goes."""


@dataclass(frozen=True)
class Step:
    """A block of a page, with the paragraph before it; or a function to delete, without text."""

    told: str
    language: str
    file: str
    text: str

    @property
    def commands(self) -> list[tuple[str, str]]:
        """The commands of a console, each with what it prints."""
        found = _COMMAND.findall(self.text) if self.language == "console" else []
        return [(re.sub(r" *\\\n *", " ", command), printed) for command, printed in found]


def steps(page: Path) -> Iterator[Step]:
    """Yield the steps of a page in order."""
    before, *parts = _BLOCK.split(page.read_text())
    for language, title, text, after in zip(*(parts[start::4] for start in range(4)), strict=True):
        for name, file in _DELETE.findall(before):
            yield Step(f"Replace the function `{name}` in `{file}`:", "python", file, "")
        yield Step(" ".join(before.strip().rpartition("\n\n")[2].split()), language, title or "", text)
        before = after


def follow(page: Path, folder: Path) -> Iterator[tuple[str, str]]:
    """Type a page into a folder. Yield each command of curl, with what it prints, when all before it is typed."""
    for step in steps(page):
        for command, printed in step.commands:
            if command.startswith(FILES):
                subprocess.run(command.split(), cwd=folder, check=True)
            elif command.startswith("curl "):
                yield command, printed
        if step.language != "console" and not step.file.startswith("/"):
            enter(step, folder)


def differs(found: str, shown: str) -> str | None:
    """Return what is printed, unless a page shows it so; three dots stand for anything."""
    pattern = re.escape(shown.rstrip()).replace(r"\.\.\.", ".*")
    return None if re.fullmatch(pattern, found.rstrip(), re.DOTALL) else found


def typed_before(page: Path, folder: Path) -> None:
    """Type all pages before a page into a folder."""
    for earlier in PAGES[: PAGES.index(page)]:
        for _ in follow(earlier, folder):
            pass


def enter(step: Step, folder: Path) -> None:
    """Type a block into its file. Raises Unclear if the sentence before it does not say where, or another file."""
    for pattern, change in CHANGES.items():
        if found := re.search(pattern + "$", step.told):
            if found["file"] != step.file:
                raise Unclear(f"{step.told} is above {step.file!r}")
            path = folder / step.file
            if change is not _create and not path.exists():
                raise Unclear(f"{step.told} There is no such file.")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(change(path, found, step.text))
            return
    raise Unclear(f"{step.told!r} does not say where this goes: {step.text}")


def _create(path: Path, found: re.Match[str], text: str) -> str:
    if path.exists():
        raise Unclear(f"{path.name} is no new file")
    return text


def _replace_all(path: Path, found: re.Match[str], text: str) -> str:
    return text


def _append(path: Path, found: re.Match[str], text: str) -> str:
    return path.read_text() + ("\n\n" if path.suffix == ".py" else "") + text


def _replace_imports(path: Path, found: re.Match[str], text: str) -> str:
    imports = [node for node in ast.parse(path.read_text()).body if isinstance(node, (ast.Import, ast.ImportFrom))]
    return _with_lines(path, imports[0].lineno, imports[-1].end_lineno, text)


def _replace_names(path: Path, found: re.Match[str], text: str) -> str:
    """Put the text where the first of the names is, and leave out the others."""
    for name in reversed(re.findall(r"`([\w.]+)`", found["names"])):
        start, end = _place_of(path, name)
        first = name == re.findall(r"`([\w.]+)`", found["names"])[0]
        path.write_text(_with_lines(path, start, end, text if first else ""))
    return re.sub(r"\n{4,}", "\n\n\n", path.read_text()).rstrip() + "\n"


def _below_line(path: Path, found: re.Match[str], text: str) -> str:
    lines = path.read_text().splitlines()
    (number,) = [number for number, line in enumerate(lines, 1) if line.strip() == found["name"]]
    return _with_lines(path, number + 1, number, text)


def _below_name(path: Path, found: re.Match[str], text: str) -> str:
    end = _place_of(path, found["name"])[1]
    return _with_lines(path, end + 1, end, f"\n\n{text}")


def _replace_element(path: Path, found: re.Match[str], text: str) -> str:
    element = re.compile(rf"<{found['name']}\b.*?</{found['name']}>\n", re.DOTALL)
    if len(element.findall(path.read_text())) != 1:
        raise Unclear(f"{path.name} has not one element {found['name']}")
    return element.sub(lambda _: text, path.read_text())


def _with_lines(path: Path, start: int, end: int | None, text: str) -> str:
    lines = path.read_text().splitlines(keepends=True)
    return "".join([*lines[: start - 1], text, *lines[end:]])


def _place_of(path: Path, name: str) -> tuple[int, int]:
    """Return the first and the last line of a function, a class, a method or an assignment."""
    body: list[ast.stmt] = ast.parse(path.read_text()).body
    for part in name.split("."):
        nodes = [node for node in body if part in _names(node)]
        if len(nodes) != 1:
            raise Unclear(f"{path.name} has {len(nodes)} times {name}")
        body = getattr(nodes[0], "body", [])
    decorators = getattr(nodes[0], "decorator_list", [])
    return min(node.lineno for node in [nodes[0], *decorators]), nodes[0].end_lineno or 0


def _names(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.Assign):
        return [target.id for target in node.targets if isinstance(target, ast.Name)]
    return [node.name] if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) else []


_FILE, _NAMES = r"`(?P<file>[^`]+)`", r"(?P<names>`[\w.]+`(?:(?:, | and )`[\w.]+`)*)"
CHANGES: dict[str, Callable[[Path, re.Match[str], str], str]] = {
    rf"A new file, {_FILE}:": _create,
    rf"Replace all of {_FILE}:": _replace_all,
    rf"Add to the end of {_FILE}:": _append,
    rf"Replace the imports of {_FILE}:": _replace_imports,
    rf"Replace (?:the (?:function|class|method)s? )?{_NAMES} in {_FILE}:": _replace_names,
    rf"In {_FILE}, below the line `(?P<name>[^`]+)`, add:": _below_line,
    rf"In {_FILE}, below the (?:class|function) `(?P<name>\w+)`, add:": _below_name,
    rf"Replace the element `(?P<name>\w+)` of {_FILE}:": _replace_element,
}
