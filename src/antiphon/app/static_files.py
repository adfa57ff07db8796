"""A folder as a route: a parameter that is written into URLs with the hash of its file, and the handler."""

import os
import re
from collections.abc import Callable
from hashlib import file_digest
from itertools import count
from posixpath import splitext
from stat import S_ISLNK, S_ISREG
from time import time
from typing import NamedTuple, TypedDict

from antiphon.http.errors import Forbidden, NotFound
from antiphon.paths import NOT_THERE, absolute_path
from antiphon.request.request import Request
from antiphon.response.files import SETTLED, FileBody, guess_type
from antiphon.response.response import Response
from antiphon.routing.converters import CONVERTERS, Converter

LONGEST_NAME = 1024
"""Characters: the longest path that all systems know."""
HASH_DIGITS = 12

_is_hash = re.compile(f"[0-9a-f]{{{HASH_DIGITS}}}").fullmatch

_NO_DOTS = r"(?![. ]++(?:/|\Z))"
"""Not a segment that leads to the folder or out of it, nor one that some system takes for that."""
_NOT_HIDDEN = r"(?:(?!\.)|(?=\.well-known/))"
_TEXT = r"[^/\\:\0\ud800-\udfff]++"
"""What would be a separator or a drive somewhere, or can't be sent, is in no name."""


def served_names(dotfiles: bool) -> Callable[[str], object]:
    """A function that tells whether a name is one that may be served, wherever that leads.

    It is relative, has no empty segments, none of dots, no backslash, colon or NUL, and at most 1024 characters. Unless
    ``dotfiles`` are served, too, no segment begins with a dot, except ``.well-known`` (RFC 8615).
    """
    segment = f"{_NO_DOTS}{'' if dotfiles else _NOT_HIDDEN}{_TEXT}"
    fits = re.compile(f"{segment}(?:/{segment})*+").fullmatch

    def is_served(name: str) -> bool:
        return len(name) <= LONGEST_NAME and fits(name) is not None

    return is_served


def with_hash(name: str, digits: str) -> str:
    """A name with a hash before the suffix, or at the end where there is none."""
    stem, suffix = splitext(name)
    return f"{stem}.{digits}{suffix}"


def without_hash(name: str) -> tuple[str, str] | None:
    """The name and the hash of which ``with_hash`` makes this one. None where it makes it of no other."""
    stem, _, last = name.rpartition(".")
    before, _, digits = stem.rpartition(".")
    if _is_hash(digits) and with_hash(plain := f"{before}.{last}", digits) == name:
        return plain, digits
    if _is_hash(last) and with_hash(stem, last) == name:
        return stem, last
    return None


YEAR = 31_536_000
_LONGEST_AGE = 2**31
_MOST_HASHES = 10_000

CODINGS = {"br": ".br", "zstd": ".zst", "gzip": ".gz"}
"""The content codings that are looked for beside a file, by what their names end with; of equals the first is sent."""


class FolderOptions(TypedDict, total=False):
    """What may be said of a folder; see ``StaticFolder``."""

    max_age: int | None
    immutable: Callable[[str], object] | None
    hashes: bool
    public: bool
    dotfiles: bool
    precompressed: bool


class _File(NamedTuple):
    """A regular file in the folder: where it is, without symbolic links, and its state."""

    path: str
    state: os.stat_result


class StaticFolder:
    """The regular files of a folder and of those in it, by names such as "css/site.css".

    A symbolic link is followed where it leads to something in the folder. Names that begin with a dot are served with
    ``dotfiles`` only, but for those in ``.well-known``. With ``precompressed``, a file that stands beside another under
    its name and ".br", ".zst" or ".gz", and is not older, is sent in its place to clients that like that coding best.

    Clients ask each time whether a file has changed, or after ``max_age`` seconds. A name with the hash of the present
    content, as ``hashed`` makes it, is kept for a year and not asked for again; so is one for which ``immutable`` is
    true, because another tool has put a hash into it. ``hashes=False`` neither makes nor knows names with hashes.
    Unless they are ``public``, no files are kept by caches that users share.

    Raises ValueError for a folder that is relative or not there, and for a ``max_age`` that can't be; TypeError for an
    ``immutable`` that is no function.
    """

    __slots__ = (
        "_digests", "_forever", "_hashes", "_immutable", "_is_served", "_precompressed", "_revalidated", "_root",
        "_usual",
    )  # fmt: skip

    def __init__(
        self,
        folder: str | os.PathLike[str],
        *,
        max_age: int | None = None,
        immutable: Callable[[str], object] | None = None,
        hashes: bool = True,
        public: bool = True,
        dotfiles: bool = False,
        precompressed: bool = True,
    ) -> None:
        self._root = _real_folder(folder)
        if max_age is not None and (type(max_age) is not int or not 0 <= max_age <= _LONGEST_AGE):
            raise ValueError(f"max_age is a whole number of seconds from 0 to 2**31, not {max_age!r}")
        if immutable is not None and not callable(immutable):
            raise TypeError(f"immutable is a function of the name, such as re.compile(...).search, not {immutable!r}")
        kept_by = "public" if public else "private"
        self._forever = f"{kept_by}, max-age={YEAR}, immutable"
        self._revalidated = "no-cache" if public else "private, no-cache"
        self._usual = self._revalidated if max_age is None else f"{kept_by}, max-age={max_age}"
        self._immutable = immutable or _never
        self._hashes = hashes
        self._is_served = served_names(dotfiles)
        self._precompressed = precompressed
        self._digests: dict[str, tuple[int, int, str]] = {}

    def response(self, request: Request, name: str) -> Response:
        """The file of a name, or the parts of it that are asked for, or a 304. It waits for the file system.

        A name with a hash is of the file without it, unless a file is named so. Where the hash is not that of the
        present content, an old page asks, and gets the present content. Raises NotFound (404) for what is not served,
        Forbidden (403) for what may not be read, and what ``Response.conditional`` does.
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
        return response.conditional(request)

    def hashed(self, name: str) -> str:
        """A name with the hash of its file's content: "css/site.0f3a9c1d2b4e.css" for "css/site.css".

        A file is read when it is asked for first, and again when its time or size has changed. The name stays as it is
        where no file is there to be read, where it is ``immutable``, and where ``hashes`` are not wanted.
        Raises ValueError for a name that is never served.
        """
        if not self._is_served(name):
            raise ValueError(f"{name[:200]!r} is no name of a file that is served")
        if not self._hashes or self._immutable(name):
            return name
        try:
            file = self._find(name)
        except (OSError, Forbidden):
            return name
        digits = file and self._digest(file)
        return with_hash(name, digits) if digits else name

    def _find(self, name: str) -> _File | None:
        """The file of a name; None where there is none that is served."""
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
        except ValueError:  # what the file system's encoding has not
            return None

    def _look_up(self, name: str) -> _File | None:
        """The regular file of a name, which is in the folder where no link leads out of it."""
        path, state = self._root, None
        for segment in name.split("/"):
            path = f"{path}{os.sep}{segment}"
            state = os.lstat(path)
            if _is_link(state):
                path = os.path.realpath(f"{self._root}{os.sep}{name}", strict=True)
                state = os.lstat(path) if path.startswith(f"{self._root}{os.sep}") else None
                break
        return _File(path, state) if state is not None and S_ISREG(state.st_mode) else None

    def _answer(self, request: Request, name: str, file: _File, cache_control: str) -> Response:
        """The file, or its precompressed sibling."""
        fields = {"cache-control": cache_control, "content-type": guess_type(name)}
        if not self._precompressed or not (siblings := self._siblings(name, file)):
            return Response.file(file.path, headers=fields)
        fields["vary"] = "accept-encoding"
        coding = request.accept_encodings.best((*siblings, "identity"), "identity")
        if coding == "identity":
            return Response.file(file.path, headers=fields)
        response = Response.file(siblings[coding], headers=fields | {"content-encoding": coding})
        # Siblings may have one time and one size, and each content has a tag of its own (RFC 9110 §8.8.3).
        response.headers["etag"] = f'{response.headers["etag"][:-1]}-{coding}"'
        return response

    def _siblings(self, name: str, file: _File) -> dict[str, str]:
        """The path of each coding in which a file is there. What is older is what another version was made into."""
        beside = f"{self._root}{os.sep}{name}"
        siblings = {}
        for coding, suffix in CODINGS.items():
            if os.access(beside + suffix, os.R_OK):
                sibling = self._find(name + suffix)
                if sibling is not None and sibling.state.st_mtime_ns >= file.state.st_mtime_ns:
                    siblings[coding] = sibling.path
        return siblings

    def _digest(self, file: _File) -> str | None:
        """The hash of a file's content, in digits; None where it can't be read."""
        path, state = file
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
            if len(self._digests) >= _MOST_HASHES:
                self._digests.clear()
            self._digests[path] = (state.st_mtime_ns, state.st_size, digits)
        return digits


def _never(name: str) -> bool:  # noqa: ARG001 - it stands for a function of the name
    return False


def _is_link(state: os.stat_result) -> bool:
    """Whether it is a symbolic link, or what Windows has besides these."""
    return S_ISLNK(state.st_mode) or getattr(state, "st_reparse_tag", 0) != 0


def _real_folder(folder: str | os.PathLike[str]) -> str:
    path = absolute_path(folder)
    if not os.path.isdir(path):
        raise ValueError(f"there is no folder {path!r}")
    return os.path.realpath(path).rstrip(os.sep)


_numbers = count(1)
"""Converters of different folders have different names, in whichever blueprints they are."""


def static_files(folder: StaticFolder) -> tuple[Converter, Callable[[Request], Response]]:
    """The converter of the parameter ``filename``, and what answers with its file. That waits for the file system."""

    def serve_file(request: Request) -> Response:
        return folder.response(request, request.params["filename"])

    converter = CONVERTERS["path"]._replace(name=f"static_{next(_numbers)}", to_url=folder.hashed)
    return converter, serve_file
