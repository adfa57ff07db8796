"""The examples of the site's pages that run in the browser: files, and requests of curl, as a page has them."""

import json
import shlex
import tempfile
import zipfile
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn, Self

from scripts.playground.fetch import FETCHED, FILES, ROOT
from tests.helpers.tutorial import PAGES, Step, enter, steps, typed_before

HERE = Path(__file__).parent
SOURCE = ROOT / "src"
RUN_PAGES = {ROOT / "docs/index.md": "lamps", **dict.fromkeys(PAGES[:2], "guestbook")}
"""The pages whose examples run, with the module of the app."""
LEFT_OUT = ("antiphon/cli/", "antiphon/dialects/", "antiphon/adapters/servers/", "antiphon/testing/plugin.py")
"""Parts of Antiphon that no example in a page needs."""


INDENTED = ["|", "python3", "-m", "json.tool", "--indent", "2"]


class NotRunError(Exception):
    """A command that is not one of those that run in a page."""


class _Curl(ArgumentParser):
    @classmethod
    def of_pages(cls) -> Self:
        parser = cls(add_help=False)
        parser.add_argument("url")
        parser.add_argument("-s", action="store_true")
        parser.add_argument("-H", action="append", default=[])
        parser.add_argument("--json")
        return parser

    def error(self, message: str) -> NoReturn:
        raise NotRunError(message)


def request(command: str) -> dict[str, Any]:
    """Return a command of curl as a request, perhaps with a grep or `INDENTED` behind it. Raises NotRunError for any
    other.
    """
    words = shlex.split(command)
    only = ""
    is_indented = words[-len(INDENTED) :] == INDENTED
    if is_indented:
        words = words[: -len(INDENTED)]
    elif "|" in words:
        words, (grep, *patterns) = words[: words.index("|")], words[words.index("|") + 1 :]
        if grep != "grep" or len(patterns) != 1:
            raise NotRunError(command)
        only = patterns[0]
    if words[:1] != ["curl"]:
        raise NotRunError(command)
    asked: Namespace = _Curl.of_pages().parse_args(words[1:])
    headers = dict(each.split(": ", 1) for each in asked.H)
    if asked.json is not None:
        headers |= {"content-type": "application/json", "accept": "application/json"}
    target = asked.url.removeprefix("http://").removeprefix("localhost:8000")
    return {
        "command": command,
        "method": "GET" if asked.json is None else "POST",
        "target": target if target.startswith("/") else f"/{target}",
        "headers": headers,
        "body": asked.json or "",
        "only": only,
        "is_indented": is_indented,
    }


def examples(page: Path) -> Iterator[tuple[Step, dict[str, Any]]]:
    """Yield each console whose commands are all curl's, and what to run for it: files, module and requests."""
    with tempfile.TemporaryDirectory() as folder:
        if page in PAGES:
            typed_before(page, Path(folder))
        for step in steps(page):
            if page not in PAGES and step.file:
                (Path(folder) / step.file).write_text(step.text)
            elif step.language != "console" and step.file:
                enter(step, Path(folder))
            elif found := _requests(step):
                yield step, {"module": RUN_PAGES[page], "files": _files(Path(folder)), "requests": found}


def _requests(step: Step) -> list[dict[str, Any]]:
    try:
        return [request(command) for command, _ in step.commands]
    except NotRunError:
        return []


def _files(folder: Path) -> dict[str, str]:
    found = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("test_"))
    return {path.relative_to(folder).as_posix(): path.read_text() for path in found}


def with_buttons(page: Path, text: str, folder: Path) -> str:
    """Return a page's text with a place for a button below each example, and write these examples into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, (step, example) in enumerate(examples(page), 1):
        name = f"{page.stem}-{number}.json"
        (folder / name).write_text(json.dumps(example))
        block = f"```console\n{step.text}```\n"
        text = text.replace(block, f'{block}\n<div class="run" data-example="{name}"></div>\n', 1)
    return text


def pack(folder: Path) -> None:
    """Write into a folder what runs examples: Pyodide, the worker, and a zip file with Antiphon and what it imports."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        (folder / name).write_bytes((FETCHED / name).read_bytes())
    (folder / "worker.js").write_bytes((HERE / "worker.js").read_bytes())
    with zipfile.ZipFile(folder / "packages.zip", "w", zipfile.ZIP_DEFLATED) as packages:
        packages.write(HERE / "in_page.py", "in_page.py")
        for path in sorted((SOURCE / "antiphon").rglob("*")):
            name = path.relative_to(SOURCE).as_posix()
            if path.is_file() and path.suffix not in {".c", ".h", ".so", ".pyc"} and not name.startswith(LEFT_OUT):
                packages.write(path, name)
        for wheel in sorted(FETCHED.glob("*.whl")):
            _add(wheel, packages)


def _add(wheel: Path, packages: zipfile.ZipFile) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if not name.endswith("x86_64-linux-gnu.so"):
                packages.writestr(name, archive.read(name))
