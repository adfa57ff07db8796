"""`antiphon new`: creates a working project with tests from the templates in this folder, or nothing at all."""

import json
import keyword
import os
import re
import shutil
import sys
from importlib.metadata import distribution, version
from importlib.util import find_spec
from pathlib import Path
from secrets import token_hex, token_urlsafe
from typing import NamedTuple

from antiphon.cli.errors import BadCommand, Refused

IS_RELEASED = False
"""True once the package index has this version: new projects, README.md and the documentation then install it by name.

`python -m scripts.tables` writes the pages, and a release is refused without it.
"""
_SUFFIX = ".template"
"""The suffix of each template's name, which keeps tools from treating it as a file of this package."""
_TEMPLATES = Path(__file__).parent
_BASES = {"accounts": ("pages",)}
"""The templates whose files another one has, too, unless it has its own."""
_LONGEST = 60
"""The maximum number of characters in a name; with more, lines in the project's files would be too long."""
_is_name = re.compile("[A-Za-z][A-Za-z0-9]*(?:[-_][A-Za-z0-9]+)*").fullmatch
_TAKEN = {"build", "dist", "docs", "test", "tests", "src"} | sys.stdlib_module_names
"""Package names that would hide a module of Python or a folder of the project."""


class ProjectName(NamedTuple):
    """The name of a project, and of the package that Python imports."""

    project: str
    package: str

    @classmethod
    def parse(cls, text: str) -> "ProjectName":
        """Return both names. Raises `BadCommand` if a package can't have the name, or if the name is taken."""
        package = text.lower().replace("-", "_")
        if len(text) > _LONGEST or not _is_name(text):
            raise BadCommand(
                f"{text!r} can't be the name of a package: use up to {_LONGEST} letters, digits and single hyphens,"
                " such as my-shop."
            )
        if keyword.iskeyword(package):
            raise BadCommand(f"{package!r} is a Python keyword and can't be a package's name: choose another.")
        if package in _TAKEN or find_spec(package) is not None:
            raise BadCommand(
                f"A package {package!r} would hide an existing one, or a folder of the project: choose another name."
            )
        return cls(text, package)


def make(name: ProjectName, template: str) -> Path:
    """Create a project in a new or empty folder and return the folder. Nothing is ever overwritten.

    The files are written to a temporary folder next to it, which is renamed when it is complete. Raises `BadCommand` if
    the folder is not empty, or `Refused` if the files can't be written; they are then removed.
    """
    folder = Path(name.project)
    if folder.is_symlink() or (folder.exists() and not (folder.is_dir() and not any(folder.iterdir()))):
        raise BadCommand(f"{name.project!r} already exists and is not an empty folder: nothing was written.")
    unfinished = Path(f".{name.project}-{token_hex(4)}")
    try:
        for path, text in _files(name, template).items():
            _write(unfinished / path, text)
        if os.name == "nt" and folder.exists():
            folder.rmdir()  # Windows can't rename a folder to an existing one
        unfinished.rename(folder)  # fails if something has been put into the folder in the meantime
    except OSError as error:
        where = Path.cwd() if error.filename is None else error.filename
        raise Refused(f"The project can't be written: {error.strerror} ({where}). Nothing was created.") from None
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return folder


def _files(name: ProjectName, template: str) -> dict[str, str]:
    """Return the contents of a project's files by path."""
    texts: dict[str, str] = {}
    for folder in (_TEMPLATES / each for each in ("common", *_BASES.get(template, ()), template)):
        for file in sorted(folder.rglob(f"*{_SUFFIX}")):
            path = file.relative_to(folder).as_posix().removesuffix(_SUFFIX)
            texts[_filled(path, name)] = _filled(file.read_text("utf-8"), name)
    return texts


def _filled(text: str, name: ProjectName) -> str:
    text = re.sub(r"antiphon(\[\w+\])?>=antiphon-version", lambda found: requirement(found[1] or ""), text)
    text = text.replace("secret-key", token_urlsafe(32))
    return text.replace("project-name", name.project).replace("project_name", name.package)


def requirement(extras: str) -> str:
    """Return a project's requirement: this version or, until its release, the source from which it was installed (PEP
    610).

    ``extras`` is in brackets, or empty.
    """
    place = json.loads(distribution("antiphon").read_text("direct_url.json") or "{}")
    if IS_RELEASED or "url" not in place:
        return f"antiphon{extras}>={version('antiphon')}"
    vcs = place.get("vcs_info", {})
    at = f"{vcs['vcs']}+{place['url']}@{vcs['commit_id']}" if vcs else place["url"]
    return f"antiphon{extras} @ {at}"


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("x", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())  # some file systems report a full disk only now
