"""A project's static files, and uploaded files as pages see them, with their type detected from their first bytes."""

import os
import re
from collections.abc import Collection
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

from antiphon import App, Upload
from antiphon.dialects.asok.config import folder_of

if TYPE_CHECKING:
    from antiphon.dialects.asok.app import Asok
    from antiphon.dialects.asok.request import Request


FOLDERS = ("css", "js", "images", "uploads")
UPLOADS = "src/partials/uploads"
"""The folder for uploaded files, inside the project."""


def install_static(app: "Asok", native: App) -> None:
    """Register the routes for a project's files. Create the folder for uploads if permissions allow it."""
    partials = os.path.join(app.root_dir, app.dirs["PARTIALS"])
    if os.path.isdir(partials):
        with suppress(OSError):
            os.makedirs(os.path.join(partials, "uploads"), exist_ok=True)
    for name in FOLDERS:
        if folder := folder_of(partials, name):
            native.static(f"/{name}", folder, name=f"static/{name}")


def static_url(request: "Request", filepath: str) -> str:
    """Return the URL of a project's file such as "css/site.css", with a hash of its contents.

    Unless ``DEBUG`` is on, "css/site.min.css" is used instead if it exists. If there is no such file, the URL is its
    path without a hash.
    """
    path = filepath.lstrip("/")
    partials = os.path.join(request.app.root_dir, request.app.dirs["PARTIALS"])
    start, suffix = os.path.splitext(path)
    smaller = f"{start}.min{suffix}"
    if (
        suffix in (".css", ".js")
        and not request.app.config["DEBUG"]
        and os.path.isfile(os.path.join(partials, smaller))
    ):
        path = smaller
    folder, _, name = path.partition("/")
    try:
        return request.native.url_for(f"static/{folder}", filename=name)
    except (LookupError, ValueError):
        return f"/{path}"


LONGEST = 16
"""The number of a file's first bytes that are enough to reveal its type."""


class FileKind(NamedTuple):
    """A media type with its filename extensions and the first bytes of such files."""

    mimetype: str
    suffixes: tuple[str, ...]
    begins: re.Pattern[bytes]


def _kind(mimetype: str, suffixes: str, begins: bytes) -> FileKind:
    return FileKind(mimetype, tuple(suffixes.split()), re.compile(begins, re.DOTALL))


_KINDS = (
    _kind("image/jpeg", ".jpg .jpeg", rb"\xff\xd8\xff"),
    _kind("image/png", ".png", rb"\x89PNG\r\n\x1a\n"),
    _kind("image/gif", ".gif", rb"GIF8[79]a"),
    _kind("image/webp", ".webp", rb"RIFF....WEBP"),
    _kind("audio/wav", ".wav", rb"RIFF....WAVE"),
    _kind("video/x-msvideo", ".avi", rb"RIFF....AVI "),
    _kind("image/bmp", ".bmp", rb"BM"),
    _kind("image/tiff", ".tiff .tif", rb"II\*\x00|MM\x00\*"),
    _kind("image/x-icon", ".ico", rb"\x00\x00\x01\x00"),
    _kind("image/svg+xml", ".svg", rb"<\?xml|<svg"),
    _kind("audio/mpeg", ".mp3", rb"ID3|\xff\xfb|\xff\xf3"),
    _kind("audio/flac", ".flac", rb"fLaC"),
    _kind("audio/ogg", ".ogg .oga", rb"OggS"),
    _kind("audio/aac", ".aac", rb"\xff[\xf1\xf9]"),
    _kind("video/quicktime", ".mov", rb"....ftypqt  "),
    _kind("audio/mp4", ".m4a", rb"....ftypM4A"),
    _kind("video/mp4", ".mp4 .m4v", rb"....ftyp"),
    _kind("video/webm", ".webm .mkv", rb"\x1aE\xdf\xa3"),
    _kind("application/pdf", ".pdf", rb"%PDF"),
    _kind("application/zip", ".zip .docx .xlsx .pptx .jar .apk .odt .ods", rb"PK\x03\x04"),
    _kind("application/msword", ".doc .xls .ppt", rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
    _kind("text/rtf", ".rtf", rb"\{\\rtf"),
    _kind("application/gzip", ".gz .gzip", rb"\x1f\x8b"),
    _kind("application/x-bzip2", ".bz2", rb"BZh"),
    _kind("application/x-rar-compressed", ".rar", rb"Rar!\x1a\x07"),
    _kind("application/x-7z-compressed", ".7z", rb"7z\xbc\xaf'\x1c"),
)


def kind_of(start: bytes) -> FileKind:
    """Return the kind of a file by its first bytes. Raises ValueError if it is unknown."""
    found = next((kind for kind in _KINDS if kind.begins.match(start)), None)
    if found is None:
        raise ValueError("Unknown or unsupported file type")
    return found


LONGEST_NAME = 255
"""The maximum length of a filename in bytes."""


class UploadedFile:
    """A file sent with a form. ``native`` is the underlying native upload."""

    def __init__(self, native: Upload, root: str) -> None:
        self.native = native
        self.filename = native.safe_filename
        self._root = root

    @property
    def name(self) -> str:
        """The file's name in a safe form, for use on disk."""
        return self.filename

    @property
    def size(self) -> int:
        """The file's length in bytes."""
        return self.native.size

    @property
    def content(self) -> bytes:
        return bytes(self.native.open().read())

    @property
    def file(self) -> BytesIO:
        """The file's contents, as a file object."""
        return BytesIO(self.content)

    @property
    def content_type(self) -> str | None:
        """The media type that the client declared, or None."""
        return self.native.mimetype or None

    def read(self, size: int = -1) -> bytes:
        """Return the first ``size`` bytes of the file, or all of them if ``size`` is -1."""
        return bytes(self.native.open().read(size))

    def validate_mime_type(self, allowed_types: Collection[str] | None = None) -> bool:
        """Check that the first bytes of the file are of an allowed type and that its name matches that type.

        Raises ValueError for any other file and for an unknown type.
        """
        kind = kind_of(self.read(LONGEST))
        if allowed_types and kind.mimetype not in allowed_types:
            raise ValueError(f"File type '{kind.mimetype}' not allowed. Allowed types: {', '.join(allowed_types)}")
        if not self.filename.lower().endswith(kind.suffixes):
            raise ValueError(f"The name {self.filename!r} does not match the file's type '{kind.mimetype}'")
        return True

    def save(
        self,
        destination: str | os.PathLike[str],
        validate: bool = True,
        allowed_types: Collection[str] | None = None,
        secure_filename: bool = True,
        private: bool = False,
    ) -> str:
        """Save the file in a folder below the project's ``src/partials/uploads`` and return its path.

        The destination must end with a slash or be an existing folder; otherwise, its last segment is ignored. The
        file gets a random name, or keeps its own with ``secure_filename=False``; a number is added if the name is
        taken. The file is checked as by ``validate_mime_type``. Only this user can read a private file. Raises
        ValueError for a folder elsewhere, and for a file that fails the check.
        """
        if validate:
            self.validate_mime_type(allowed_types)
        folder = self._folder(destination)
        suffix = os.path.splitext(self.filename)[1]
        self.filename = f"{uuid4()}{suffix.lower()}" if secure_filename else self.filename
        folder.mkdir(parents=True, exist_ok=True)
        path = self._save_as_new(folder)
        path.chmod(0o600 if private else 0o644)
        self.filename = path.name
        return str(path)

    def _folder(self, destination: str | os.PathLike[str]) -> Path:
        base = Path(self._root, UPLOADS).resolve()
        path = (base / destination).resolve()
        is_folder = path == base or str(destination).endswith("/") or path.is_dir()
        folder = path if is_folder else path.parent
        if not folder.is_relative_to(base):
            raise ValueError(f"{str(destination)!r} is not in {UPLOADS}: files must be saved below it")
        return folder

    def _save_as_new(self, folder: Path) -> Path:
        """Save the file under its name, with the first available number."""
        number = 0
        while True:
            path = folder / (_numbered(self.filename, number) if number else self.filename)
            try:
                return self.native.save(path)
            except FileExistsError:
                number += 1

    def __getitem__(self, key: str) -> str | bytes:
        if key not in ("filename", "content"):
            raise KeyError(key)
        return self.filename if key == "filename" else self.content


def _numbered(name: str, number: int) -> str:
    """Insert a number before the extension of a name. A name that becomes too long is shortened."""
    start, suffix = os.path.splitext(name)
    ending = f"_{number}{suffix}"
    room = LONGEST_NAME - len(ending.encode())
    if room < 1:
        start, ending = name, f"_{number}"
        room = LONGEST_NAME - len(ending)
    return start.encode()[:room].decode(errors="ignore") + ending
