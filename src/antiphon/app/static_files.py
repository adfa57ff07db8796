"""Static files: a folder's files, served by a route, with a hash of their content in their URLs."""

import os
import re
from collections.abc import Callable
from datetime import timedelta
from functools import lru_cache
from hashlib import file_digest
from itertools import count
from posixpath import splitext
from stat import S_ISLNK, S_ISREG
from time import monotonic, time
from typing import NamedTuple, TypedDict

from antiphon.explanations import explained
from antiphon.handler.callables import check_sync
from antiphon.http.dates import seconds_of
from antiphon.http.errors import Forbidden, NotFound
from antiphon.http.head import RequestHead
from antiphon.paths import NOT_THERE, absolute_path
from antiphon.request.request import Request
from antiphon.request.watching import unrecorded
from antiphon.response.fields import NOT_SNIFFED, Line, SharedFields
from antiphon.response.files import SETTLED, FileBody, guess_type, measures, open_itself, read_part, validators
from antiphon.response.response import Response, response_of
from antiphon.routing.converters import CONVERTERS, Converter

YEAR = 31_536_000
_LONGEST_AGE = 2**31
_MOST_KNOWN = 10_000
READ_AT_ONCE = 64 << 10
"""The maximum number of bytes of a file, or a part of it, that are read before the response is sent."""
RECENT = 5.0
"""The number of seconds for which the system probably keeps a file in memory after it was read."""
SLOW = 0.01
"""The seconds after which the file system is considered slow: a disk takes this long, another program's time slice
doesn't.
"""
WARY = 16
"""The number of files that are read on threads after an event loop has waited that long for a file."""

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
    """A regular file in the folder: its path without symbolic links, its state, and the state of its parent folder.

    The parent folder's state is None if a symbolic link leads to the file.
    """

    path: str
    state: os.stat_result
    folder: os.stat_result | None


class StaticFolder:
    """The regular files in a folder, at any depth, by names such as "css/site.css".

    A symbolic link is followed if its target is in the folder. Names that begin with a dot are served only with
    ``dotfiles``, except for ``.well-known``. With ``precompressed``, clients that prefer Brotli, Zstandard or gzip
    instead get the file with the same name plus ".br", ".zst" or ".gz", unless that file is older.

    Clients check for changes each time, or after ``max_age`` (whole seconds or a timedelta). A file requested by a name
    with its current hash, as ``hashed`` returns it, is cached for a year without checking. The same applies if
    ``immutable`` returns true for the name, because another tool has put a hash into it. With ``hashes=False``, names
    with hashes are neither made nor recognized. Shared caches may store the files only if they are ``public``.

    Raises ValueError for a folder that is relative or missing, and for an invalid ``max_age``. Raises TypeError for an
    ``immutable`` that isn't a function.
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
                "bad-route-option", f"max_age must be a whole number of seconds from 0 to 2**31, not {max_age!r}"
            )
        if immutable is not None and not callable(immutable):
            raise explained(
                "bad-route-option",
                f"immutable must be a function of the name, such as re.compile(...).search, not {immutable!r}",
                TypeError,
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
        self._codings: dict[str, tuple[int, tuple[str, ...]]] = {}
        """For each name: the codings of its siblings, and the modification time of their folder."""

    def response(self, request: Request, name: str) -> Response:
        """Respond with the named file, the requested ranges of it, or a 304.

        This blocks on the file system. A name with a hash means the file without it, unless a file has that exact name.
        If the hash is outdated, the request comes from an old page and gets the current content. Raises NotFound (404)
        for a name that is not served, Forbidden (403) for a file that can't be read, and the same errors as
        ``Response.make_conditional``.
        """
        plain, digits = (self._hashes and without_hash(name)) or ("", "")
        present = self._find(plain) if plain else None
        if present and self._digest(present) == digits:
            response = self._file_response(request, plain, present, self._forever)
        elif file := self._find(name):
            response = self._file_response(request, name, file, self._forever if self._immutable(name) else self._usual)
        # An old page asks by an old hash: it gets the file, but must ask again next time.
        elif present:
            response = self._file_response(request, plain, present, self._revalidated)
        else:
            raise NotFound
        return response

    def page_for(self, request: Request, name: str) -> Response | None:
        """Respond with ``index.html`` to a navigation of a browser to a path without a file, because the page's script
        handles it. Return None for other requests, for names that are never served, and for a folder with a
        ``404.html``: its pages are files.

        A request is a navigation by its Sec-Fetch-Mode or, without that field, if it accepts text/html by name.
        """
        path = name.removesuffix("/")
        if path and not self._is_served(path):
            return None
        if path and (not _is_navigation(request) or self._find("404.html")):
            return None
        return self.response(request, "index.html") if self._find("index.html") else None

    def hashed(self, name: str) -> str:
        """Return a name with the hash of its file's content: "css/site.0f3a9c1d2b4e.css" for "css/site.css".

        A file is read the first time, and again when its modification time or size has changed. The name stays
        unchanged if the file can't be read, if the name is ``immutable``, or without ``hashes``. Raises ValueError for
        a name that is never served.
        """
        if not self._is_served(name):
            raise explained("url-for-value", f"{name[:200]!r} is not the name of a served file")
        if not self._hashes or self._immutable(name):
            return name
        try:
            file = self._find(name)
        except (OSError, Forbidden):
            return name
        digits = file and self._digest(file)
        return with_hash(name, digits) if digits else name

    def _find(self, name: str) -> _File | None:
        """Return the named file, or None if no such file is served."""
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
        """Return the named regular file, or None if it doesn't exist or a link leads out of the folder."""
        path = self._root
        folder = None if "/" in name else os.lstat(path)
        state: os.stat_result | None = None
        for segment in name.split("/"):
            folder = state or folder
            path = f"{path}{os.sep}{segment}"
            state = os.lstat(path)
            if _is_link(state):
                # Of the whole name: the rest may contain links, too.
                path = os.path.realpath(f"{self._root}{os.sep}{name}", strict=True)
                folder, state = None, os.lstat(path) if path.startswith(f"{self._root}{os.sep}") else None
                break
        return _File(path, state, folder) if state is not None and S_ISREG(state.st_mode) else None

    def _file_response(self, request: Request, name: str, file: _File, cache_control: str) -> Response:
        """Respond with the file, or with its precompressed sibling."""
        fields = [("cache-control", cache_control), NOT_SNIFFED]
        coding = "identity"
        if self._precompressed and (siblings := self._siblings(name, file)):
            fields.append(("vary", "accept-encoding"))
            coding, file = _preferred(request, siblings, file)
        # Its state is read from the open file, because another one may get its name.
        descriptor = open_itself(file.path)
        try:
            return _respond(request, file.path, descriptor, guess_type(name), fields, coding)
        finally:
            os.close(descriptor)

    def _siblings(self, name: str, file: _File) -> dict[str, _File]:
        """Return a file's precompressed siblings by coding. Older files are left out, because they belong to another
        version.
        """
        folder = file.folder
        known = self._codings.get(name)
        is_known = known is not None and folder is not None and known[0] == folder.st_mtime_ns
        siblings = {}
        for coding in known[1] if is_known and known else CODINGS:
            sibling = self._find_sibling(name, file, CODINGS[coding])
            # An older one was made of a version before.
            if sibling is not None and sibling.state.st_mtime_ns >= file.state.st_mtime_ns:
                siblings[coding] = sibling
        if not is_known and folder is not None and abs(time() - folder.st_mtime) > SETTLED:
            self._note_codings(name, folder.st_mtime_ns)
        return siblings

    def _find_sibling(self, name: str, file: _File, suffix: str) -> _File | None:
        """Return the file with the same name and the given suffix; None if there is none."""
        if file.folder is None:
            return self._find(name + suffix)
        path = file.path + suffix  # the parent folders are known not to be links
        try:
            state = os.lstat(path)
        except OSError:
            return None
        if S_ISREG(state.st_mode) and not _is_link(state):
            return _File(path, state, file.folder)
        return self._find(name + suffix)

    def _note_codings(self, name: str, changed: int) -> None:
        """Remember which siblings exist until the folder's modification time changes, as it does when a name is
        added.
        """
        beside = f"{self._root}{os.sep}{name}"
        if len(self._codings) >= _MOST_KNOWN:
            self._codings.clear()
        self._codings[name] = changed, tuple([c for c, suffix in CODINGS.items() if os.path.lexists(beside + suffix)])

    def _digest(self, file: _File) -> str | None:
        """Return the hash of a file's content, in hexadecimal digits, or None if the file can't be read."""
        path, state, _ = file
        known = self._digests.get(path)
        if known is not None and known[:2] == (state.st_mtime_ns, state.st_size):
            return known[2]
        # Before it is read: another change might have the same time.
        is_settled = abs(time() - state.st_mtime) > SETTLED
        try:
            with FileBody(path, 0, state.st_size).open() as content:
                digits = file_digest(content, "sha256").hexdigest()[:HASH_DIGITS]
        except (OSError, EOFError):
            return None
        if is_settled:
            # All at once, because no order is kept: the files are read again.
            if len(self._digests) >= _MOST_KNOWN:
                self._digests.clear()
            self._digests[path] = (state.st_mtime_ns, state.st_size, digits)
        return digits


def _preferred(request: Request, siblings: dict[str, _File], file: _File) -> tuple[str, _File]:
    """Return the coding that the client prefers among those whose file can be read, and the file."""
    while siblings:
        coding = request.accept_encodings.best((*siblings, "identity"), "identity")
        if coding == "identity":
            break
        # A sibling that can't be read must not hide the file.
        if os.access(siblings[coding].path, os.R_OK):
            return coding, siblings[coding]
        del siblings[coding]
    return "identity", file


def _respond(
    request: Request, path: str, descriptor: int, content_type: str, fields: list[Line], coding: str
) -> Response:
    """Respond with an open file.

    If the part to send is small, it is read now, so that nothing has to wait for a thread again. The time and size are
    those of the opened file, even if another file has its name by now. Raises NotFound for anything but a regular file.
    """
    found = os.fstat(descriptor)
    if not S_ISREG(found.st_mode):
        raise NotFound
    etag, modified = validators(found)
    if coding != "identity":
        # Siblings may have the same time and size, but each needs its own tag (RFC 9110 §8.8.3).
        etag = etag[0], f'{etag[1][:-1]}-{coding}"'
        fields.append(("content-encoding", coding))
    length, ranges = measures(found.st_size)
    complete = _complete((*fields, etag, modified, ranges), content_type)
    if found.st_size <= READ_AT_ONCE and request.method != "HEAD" and not RequestHead.has_conditions(request.head):
        return response_of(read_part(descriptor, 0, found.st_size), complete)
    response = response_of(FileBody(path, 0, found.st_size), [*complete, length])
    body = response.make_conditional(request).body
    if isinstance(body, FileBody) and body.length <= READ_AT_ONCE and request.method != "HEAD":
        response.body = read_part(descriptor, body.offset, body.length)
    return response


@lru_cache(maxsize=1024)
def _complete(fields: tuple[Line, ...], content_type: str) -> SharedFields:
    """Return a file's header fields, checked and with its content type."""
    return SharedFields.of(Response(b"", headers=fields, content_type=content_type).headers.items())


_HAS_TAGS = hasattr(os.stat_result, "st_reparse_tag")
"""True on Windows. Elsewhere, looking up the attribute in each stat result would take as long as a system call."""


def _is_link(state: os.stat_result) -> bool:
    """True for a symbolic link, and for the other kinds of links on Windows (reparse points)."""
    return S_ISLNK(state.st_mode) or (_HAS_TAGS and getattr(state, "st_reparse_tag", 0) != 0)


def _real_folder(folder: str | os.PathLike[str]) -> str:
    path = absolute_path(folder)
    if not os.path.isdir(path):
        raise explained("missing-folder", f"there is no folder {path!r}")
    return os.path.realpath(path).rstrip(os.sep)


_numbers = count(1)
"""Numbers that give the converters of different folders different names across all blueprints."""


class RecentReads:
    """The files that were read a moment ago, which the system probably still has in memory.

    An event loop reads these files itself, because a thread switch takes longer than reading a small file. There is no
    way to ask if the system would have to wait for a disk or another machine. So a loop never reads a file first, nor
    after a long pause; and if it had to wait anyway, threads read the next files.
    """

    def __init__(self) -> None:
        self._ends: dict[object, float] = {}
        self._wary = 0

    def has(self, file: object) -> bool:
        """True if a file was read a moment ago and the loop has not had to wait since."""
        return not self._wary and monotonic() < self._ends.get(file, 0.0)

    def add(self, file: object) -> None:
        """Record that a file was read."""
        if len(self._ends) >= _MOST_KNOWN:
            self._ends.clear()
        self._ends[file] = monotonic() + RECENT
        self._wary = max(self._wary - 1, 0)

    def wait(self, seconds: float) -> None:
        """Record how long a loop had to wait for a file."""
        if seconds >= SLOW:
            self._wary = WARY


class FileHandler:
    """The handler of a folder's route. It blocks on the file system.

    Small files that were served a moment ago are ``at_hand``: an event loop serves them itself.
    """

    def __init__(self, folder: StaticFolder, is_root: bool) -> None:
        self._folder = folder
        self._is_root = is_root
        self._reads = RecentReads()
        self.__name__ = "serve_file"  # the default name of its routes
        self.at_hand = self._is_at_hand, self._serve_at_hand

    def __call__(self, request: Request) -> Response:
        """Respond with the file at the path. For a folder that serves all paths, a page may be at other paths, too."""
        name = request.path_params["filename"]
        try:
            response = self._folder.response(request, name)
        except NotFound:
            page = self._folder.page_for(request, name) if self._is_root else None
            if page is None:
                raise
            response = page
        if not request.head.blocks and response.status == 200 and response.body and type(response.body) is bytes:
            self._reads.add(_variant(request))
        return response

    def _is_at_hand(self, request: Request) -> bool:
        return self._reads.has(_variant(request))

    def _serve_at_hand(self, request: Request) -> Response:
        started = monotonic()
        try:
            return self(request)
        finally:
            # After an error, too: the loop has waited all the same.
            self._reads.wait(monotonic() - started)


def _variant(request: Request) -> tuple[str, str | None]:
    """Return a key for the file that a request gets; that file may be precompressed."""
    head = request.head  # only a file that is precompressed depends on the coding, and says so itself
    return request.path_params["filename"], unrecorded(head, lambda: head.field("accept-encoding"))


def static_files(folder: StaticFolder, is_root: bool) -> tuple[Converter, Callable[[Request], Response]]:
    """Return the converter of the ``filename`` parameter, and the handler. At the root, the name may be empty."""
    name = f"static_{next(_numbers)}"
    converter = CONVERTERS["path"]._replace(name=name, to_url=folder.hashed, may_be_empty=is_root)
    return converter, FileHandler(folder, is_root)


LONGEST_NAME = 1024
"""The maximum path length that all systems support, in characters."""
HASH_DIGITS = 12

# Lower case only, as ``hexdigest`` writes it.
_is_hash = re.compile(f"[0-9a-f]{{{HASH_DIGITS}}}").fullmatch

_NO_DOTS = r"(?![. ]++(?:/|\Z))"
"""Match the start of a segment that isn't all dots and spaces; these lead out of the folder on some systems."""
_NOT_HIDDEN = r"(?:(?!\.)|(?=\.well-known/))"
_TEXT = r"[^/\\:\0\ud800-\udfff]++"
"""The characters allowed in a name. On some systems, other characters separate segments, denote a drive, or can't be
encoded.
"""


def served_names(dotfiles: bool) -> Callable[[str], object]:
    """Return a function that returns whether a name may be served.

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
    """Return the name and the hash from which ``with_hash`` made this name, or None for a name without a hash."""
    stem, _, last = name.rpartition(".")
    before, _, digits = stem.rpartition(".")
    if _is_hash(digits) and with_hash(plain := f"{before}.{last}", digits) == name:
        return plain, digits
    if _is_hash(last) and with_hash(stem, last) == name:
        return stem, last
    return None


def _is_navigation(request: Request) -> bool:
    """Return True if a browser navigates: by Sec-Fetch-Mode or, without that field, if it accepts HTML by name."""
    request.consulted += ("sec-fetch-mode", "accept")
    mode, accepted = request.head.field("sec-fetch-mode"), request.head.field("accept") or ""
    return mode == "navigate" if mode else "text/html" in accepted
