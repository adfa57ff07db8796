"""Folders of catalogues: ``de.json``, ``de_AT.json``, ``de/LC_MESSAGES/messages.po`` and ``.mo``."""

import os
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from antiphon.explanations import explained
from antiphon.features.languages.catalogues import Catalogue, read
from antiphon.features.languages.request_language import normalised

_GETTEXT = "LC_MESSAGES"


class CatalogueFile(NamedTuple):
    """A file with translations into a language."""

    tag: str
    path: str


def files_in(folders: Iterable[str]) -> Iterator[CatalogueFile]:
    """Yield the files in folders in order of precedence: the first text for a key counts.

    The order is that of the folders, and in each folder JSON, then gettext's files by name. A .po next to the .mo that
    was made from it does not count. Raises ValueError for a name that is not a language.
    """
    for folder in folders:
        names = sorted(os.listdir(folder))
        for name in names:
            stem, suffix = os.path.splitext(name)
            if suffix == ".json" and not name.startswith("."):
                yield CatalogueFile(_tag_of(stem, os.path.join(folder, name)), os.path.join(folder, name))
        for name in names:
            messages = os.path.join(folder, name, _GETTEXT)
            if os.path.isdir(messages):
                tag = _tag_of(name, os.path.join(folder, name))
                yield from (CatalogueFile(tag, path) for path in _gettext_files(messages))


def _tag_of(name: str, path: str) -> str:
    try:
        return normalised(name)
    except ValueError as error:
        raise explained("bad-catalogue", ValueError(f"{path}: {error}")) from None


def _gettext_files(folder: str) -> list[str]:
    names = sorted(os.listdir(folder))
    compiled = {name[:-3] for name in names if name.endswith(".mo")}
    found = [name for name in names if name.endswith(".mo") or (name.endswith(".po") and name[:-3] not in compiled)]
    return [os.path.join(folder, name) for name in found]


def read_all(files: Iterable[CatalogueFile]) -> dict[str, list[Catalogue]]:
    """Read files, and return the catalogues of each language in their order. Raises what ``read`` raises."""
    found: dict[str, list[Catalogue]] = {}
    for tag, path in files:
        found.setdefault(tag, []).append(read(path, tag))
    return found


def versions_of(folders: Iterable[str]) -> tuple[tuple[str, int, int], ...]:
    """Return the name, time and size of each file, which show whether any has changed."""
    found = []
    for _, path in files_in(folders):
        status = os.stat(path)
        found.append((path, status.st_mtime_ns, status.st_size))
    return tuple(found)
