"""Static files: the files of a folder, served by a route, with a hash of their content in their URLs."""

import os
import re
from collections.abc import Callable
from datetime import timedelta
from hashlib import file_digest
from itertools import count
from posixpath import splitext
from stat import S_ISLNK, S_ISREG
from time import time
from typing import NamedTuple, TypedDict

from antiphon.explanations import explained
from antiphon.handler.callables import check_sync
from antiphon.http.dates import seconds_of
from antiphon.http.errors import Forbidden, NotFound
from antiphon.paths import NOT_THERE, absolute_path
from antiphon.request.request import Request
from antiphon.response.fields import NOT_SNIFFED, Line
from antiphon.response.files import SETTLED, FileBody, guess_type, measures, open_itself, read_part, validators
from antiphon.response.response import Response
from antiphon.routing.converters import CONVERTERS, Converter

LONGEST_NAME = 1024
"""Characters of the longest path that all systems support."""
HASH_DIGITS = 12

_is_hash = re.compile(f"[0-9a-f]{{{HASH_DIGITS}}}").fullmatch

_NO_DOTS = r"(?![. ]++(?:/|\Z))"
"""The start of a segment that does not consist of dots and spaces, which lead out of the folder on some systems."""
_NOT_HIDDEN = r"(?:(?!\.)|(?=\.well-known/))"
_TEXT = r"[^/\\:\0\ud800-\udfff]++"
"""Characters allowed in a name: none that separate segments or name a drive on some system, or can't be sent."""


def served_names(dotfiles: bool) -> Callable[[str], object]:
    """Return a function that tells whether a name may be served.

    Such a name is relative, has no empty or dot segments, no backslash, colon or NUL, and at most 1024 characters.
    Unless ``dotfiles`` are served, no segment begins with a dot, except ``.well-known`` (RFC 8615).
    """
    segment = f"{_NO_DOTS}{'' if dotfiles else _NOT_HIDDEN}{_TEXT}"
    fits = re.compile(f"{segment}(?>(?:/{segment})*)").fullmatch

    def is_served(name: str) -> bool:
        return len(name) <= LONGEST_NAME and fits(name) is not None

    return is_served


def with_hash(name: str, digits: str) -> str:
    """Return a name with a hash before its suffix, or at the end if it has none."""
    stem, suffix = splitext(name)
    return f"{stem}.{digits}{suffix}"


def without_hash(name: str) -> tuple[str, str] | None:
    """Return the name and the hash of which ``with_hash`` made this name; None for a name without a hash."""
    stem, _, last = name.rpartition(".")
    before, _, digits = stem.rpartition(".")
    if _is_hash(digits) and with_hash(plain := f"{before}.{last}", digits) == name:
        return plain, digits
    if _is_hash(last) and with_hash(stem, last) == name:
        return stem, last
    return None


YEAR = 31_536_000
_LONGEST_AGE = 2**31
_MOST_KNOWN = 10_000
READ_AT_ONCE = 64 << 10
"""Bytes of a file, or of a part of it, that are read before the response is sent."""

CODINGS = {"br": ".br", "zstd": ".zst", "gzip": ".gz"}
"""The suffixes of precompressed files by content coding. If a client has no preference, the first is sent."""


class FolderOptions(TypedDict, total=False):
    """Options of a folder; see ``StaticFolder``."""

    max_age: int | timedelta | None
    immutable: Callable[[str], object] | None
    hashes: bool
    public: bool
    dotfiles: bool
    precompressed: bool


class _File(NamedTuple):
    """A regular file in the folder: its path without symbolic links, its state, and that of the folder it lies in.

    The folder's state is None if a symbolic link leads to the file.
    """

    path: str
    state: os.stat_result
    folder: os.stat_result | None


class StaticFolder:
    """The regular files in a folder, at any depth, by names such as "css/site.css".

    A symbolic link is followed if it leads to something in the folder. Names that begin with a dot are served only with
    ``dotfiles``, except in ``.well-known``. With ``precompressed``, if there is a file with the same name and ".br",
    ".zst" or ".gz" that is not older, it is sent instead to clients that prefer that coding.

    Clients check for changes each time, or after ``max_age``, in whole seconds or a timedelta. A name with the hash of
    the current content, as made by ``hashed``, is cached for a year without checking. The same applies to a name for
    which ``immutable`` is true, because another tool has put a hash into it. With ``hashes=False``, names with hashes
    are neither made nor recognized. Shared caches may store the files only if they are ``public``.

    Raises ValueError for a folder that is relative or missing, and for an impossible ``max_age``; TypeError for an
    ``immutable`` that is not a function.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        *,
        max_age: int | timedelta | None = None,
        immutable: Callable[[str], object] | None = None,
        hashes: bool = True,
        public: bool = True,
        dotfiles: bool = False,
        precompressed: bool = True,
    ) -> None:
        self._root = _real_folder(folder)
        age = seconds_of(max_age)
        if age is not None and (type(age) is not int or not 0 <= age <= _LONGEST_AGE):
            raise explained(
                "bad-route-option",
                ValueError(f"max_age must be a whole number of seconds from 0 to 2**31, not {max_age!r}"),
            )
        if immutable is not None and not callable(immutable):
            raise explained(
                "bad-route-option",
                TypeError(
                    f"immutable must be a function of the name, such as re.compile(...).search, not {immutable!r}"
                ),
            )
        check_sync("immutable", immutable)
        kept_by = "public" if public else "private"
        self._forever = f"{kept_by}, max-age={YEAR}, immutable"
        self._revalidated = "no-cache" if public else "private, no-cache"
        self._usual = self._revalidated if age is None else f"{kept_by}, max-age={age}"
        self._immutable = immutable or (lambda _name: False)
        self._hashes = hashes
        self._is_served = served_names(dotfiles)
        self._precompressed = precompressed
        self._digests: dict[str, tuple[int, int, str]] = {}
        self._without_siblings: dict[str, int] = {}

    def response(self, request: Request, name: str) -> Response:
        """Respond with the file of a name, the requested ranges of it, or a 304.

        Blocks on the file system. A name with a hash means the file without it, unless a file has that very name. If
        the hash is outdated, the request comes from an old page, and gets the current content. Raises NotFound (404)
        for a name that is not served, Forbidden (403) for a file that can't be read, and what ``Response.conditional``
        does.
        """
        plain, digits = (self._hashes and without_hash(name)) or ("", "")
        present = self._find(plain) if plain else None
        if present and self._digest(present) == digits:
            response = self._answer(request, plain, present, self._forever)
        elif file := self._find(name):
            response = self._answer(request, name, file, self._forever if self._immutable(name) else self._usual)
        elif present:
            response = self._answer(request, plain, present, self._revalidated)
        else:
            raise NotFound
        return response

    def hashed(self, name: str) -> str:
        """Return a name with the hash of its file's content: "css/site.0f3a9c1d2b4e.css" for "css/site.css".

        A file is read the first time, and again when its time or size has changed. The name stays unchanged if the file
        can't be read, if the name is ``immutable``, or without ``hashes``. Raises ValueError for a name that is never
        served.
        """
        if not self._is_served(name):
            raise explained("url-for-value", ValueError(f"{name[:200]!r} is not the name of a served file"))
        if not self._hashes or self._immutable(name):
            return name
        try:
            file = self._find(name)
        except (OSError, Forbidden):
            return name
        digits = file and self._digest(file)
        return with_hash(name, digits) if digits else name

    def _find(self, name: str) -> _File | None:
        """Return the file of a name; None if no such file is served."""
        if not self._is_served(name):
            return None
        try:
            return self._look_up(name)
        except PermissionError as error:
            raise Forbidden from error
        except OSError as error:
            if error.errno in NOT_THERE:
                return None
            raise
        except ValueError:  # the file system's encoding can't express it
            return None

    def _look_up(self, name: str) -> _File | None:
        """Return the regular file of a name; None if there is none, or a link leads out of the folder."""
        path = self._root
        folder = None if "/" in name else os.lstat(path)
        state: os.stat_result | None = None
        for segment in name.split("/"):
            folder = state or folder
            path = f"{path}{os.sep}{segment}"
            state = os.lstat(path)
            if _is_link(state):
                path = os.path.realpath(f"{self._root}{os.sep}{name}", strict=True)
                folder, state = None, os.lstat(path) if path.startswith(f"{self._root}{os.sep}") else None
                break
        return _File(path, state, folder) if state is not None and S_ISREG(state.st_mode) else None

    def _answer(self, request: Request, name: str, file: _File, cache_control: str) -> Response:
        """Respond with the file, or with its precompressed sibling."""
        fields = [("cache-control", cache_control), NOT_SNIFFED]
        coding = "identity"
        if self._precompressed and (siblings := self._siblings(name, file)):
            fields.append(("vary", "accept-encoding"))
            coding = request.accept_encodings.best((*siblings, "identity"), "identity")
            file = siblings.get(coding, file)
        descriptor = open_itself(file.path)
        try:
            return _respond(request, file.path, descriptor, guess_type(name), fields, coding)
        finally:
            os.close(descriptor)

    def _siblings(self, name: str, file: _File) -> dict[str, _File]:
        """Return a file's precompressed siblings by coding, without older ones, which belong to another version."""
        beside = f"{self._root}{os.sep}{name}"
        changed = file.folder and file.folder.st_mtime_ns
        if changed is not None and self._without_siblings.get(name) == changed:
            return {}
        siblings = {}
        for coding, suffix in CODINGS.items():
            if os.access(beside + suffix, os.R_OK):
                sibling = self._find(name + suffix)
                if sibling is not None and sibling.state.st_mtime_ns >= file.state.st_mtime_ns:
                    siblings[coding] = sibling
        if not siblings and file.folder and abs(time() - file.folder.st_mtime) > SETTLED:
            self._note_none(name, beside, file.folder.st_mtime_ns)
        return siblings

    def _note_none(self, name: str, beside: str, changed: int) -> None:
        """Remember that there are no siblings, until the folder's time changes, which it does when a name is added."""
        if not any(os.path.lexists(beside + suffix) for suffix in CODINGS.values()):
            if len(self._without_siblings) >= _MOST_KNOWN:
                self._without_siblings.clear()
            self._without_siblings[name] = changed

    def _digest(self, file: _File) -> str | None:
        """Return the hash of a file's content, in digits; None if it can't be read."""
        path, state, _ = file
        known = self._digests.get(path)
        if known is not None and known[:2] == (state.st_mtime_ns, state.st_size):
            return known[2]
        is_settled = abs(time() - state.st_mtime) > SETTLED
        try:
            with FileBody(path, 0, state.st_size).open() as content:
                digits = file_digest(content, "sha256").hexdigest()[:HASH_DIGITS]
        except (OSError, EOFError):
            return None
        if is_settled:
            if len(self._digests) >= _MOST_KNOWN:
                self._digests.clear()
            self._digests[path] = (state.st_mtime_ns, state.st_size, digits)
        return digits


def _respond(
    request: Request, path: str, descriptor: int, content_type: str, fields: list[Line], coding: str
) -> Response:
    """Respond with an open file.

    If the part to send is small, it is read now, so that nothing has to wait for a thread again. The time and size are
    those of the opened file, even if a different one has its name by now. Raises NotFound for anything that is not a
    regular file.
    """
    found = os.fstat(descriptor)
    if not S_ISREG(found.st_mode):
        raise NotFound
    etag, modified = validators(found)
    if coding != "identity":
        # Siblings may have the same time and size, and each content has its own tag (RFC 9110 §8.8.3).
        etag = etag[0], f'{etag[1][:-1]}-{coding}"'
        fields.append(("content-encoding", coding))
    fields += [etag, modified, *measures(found.st_size)]
    response = Response(FileBody(path, 0, found.st_size), headers=fields, content_type=content_type)
    body = response.conditional(request).body
    if isinstance(body, FileBody) and body.length <= READ_AT_ONCE and request.method != "HEAD":
        response.body = read_part(descriptor, body.offset, body.length)
    return response


def _is_link(state: os.stat_result) -> bool:
    """True for a symbolic link, and for the other links of Windows (reparse points)."""
    return S_ISLNK(state.st_mode) or getattr(state, "st_reparse_tag", 0) != 0


def _real_folder(folder: str | os.PathLike[str]) -> str:
    path = absolute_path(folder)
    if not os.path.isdir(path):
        raise explained("missing-folder", ValueError(f"there is no folder {path!r}"))
    return os.path.realpath(path).rstrip(os.sep)


_numbers = count(1)
"""Converters of different folders have different names, in whichever blueprints they are."""


def static_files(folder: StaticFolder) -> tuple[Converter, Callable[[Request], Response]]:
    """Return the converter of the parameter ``filename``, and the handler, which blocks on the file system."""

    def serve_file(request: Request) -> Response:
        return folder.response(request, request.path_params["filename"])

    converter = CONVERTERS["path"]._replace(name=f"static_{next(_numbers)}", to_url=folder.hashed)
    return converter, serve_file
