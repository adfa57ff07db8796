"""Where the pages of the site come from: the repository's address, the links to edit a page, and the version."""

import re
import subprocess
import tomllib
from functools import cache
from pathlib import Path

from antiphon.cli.new_project import IS_RELEASED

ROOT = Path(__file__).parents[1]
_REMOTE = re.compile(r"(?:https://|git@|ssh://git@)([\w.-]+\.\w+)[:/]([\w.-]+/[\w.-]+?)(?:\.git)?/?")


@cache
def version() -> str:
    """Return the version of pyproject.toml."""
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"])


def version_title() -> str:
    """Return the version as the site names it: one that is not released yet says so."""
    return version() if IS_RELEASED else f"pre-{version()}"


@cache
def repository() -> str | None:
    """Return the address of the repository: `Source` of pyproject.toml, or that from which it was cloned, or None."""
    if source := tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"].get("Source"):
        return str(source).rstrip("/")
    command = ["git", "config", "--get", "remote.origin.url"]
    asked = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    return address(asked.stdout.strip())


def address(remote: str) -> str | None:
    """Return the address at which a browser finds a remote of git, or None for one that is a folder."""
    found = _REMOTE.fullmatch(remote)
    return f"https://{found[1]}/{found[2]}" if found else None


def links(source: Path) -> str:
    """Return the end of a page, with links to edit it and to the repository, if its address is known."""
    if (at := repository()) is None:
        return ""
    file = source.relative_to(ROOT).as_posix()
    return (
        f'\n\n<p class="source"><a href="{at}/edit/main/{file}">Edit this page</a> <a href="{at}">Repository</a></p>\n'
    )
