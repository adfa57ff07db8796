"""Uploaded files, as pages see them."""

import os
from collections.abc import Collection
from io import BytesIO
from pathlib import Path
from uuid import uuid4

from antiphon import Upload
from antiphon.dialects.asok.file_kinds import LONGEST, kind_of
from antiphon.dialects.asok.static import UPLOADS

LONGEST_NAME = 255
"""Bytes of the longest name of a file."""


class UploadedFile:
    """A file that came with a form. ``native`` is the native upload that it reads."""

    def __init__(self, native: Upload, root: str) -> None:
        self.native = native
        self.filename = native.safe_filename
        self._root = root

    @property
    def name(self) -> str:
        """The file's name, made safe."""
        return self.filename

    @property
    def size(self) -> int:
        """The file's length in bytes."""
        return self.native.size

    @property
    def content(self) -> bytes:
        """The file's bytes."""
        return bytes(self.native.open().read())

    @property
    def file(self) -> BytesIO:
        """The file's bytes as a file."""
        return BytesIO(self.content)

    @property
    def content_type(self) -> str | None:
        """The media type that the client has declared, or None."""
        return self.native.mimetype or None

    def read(self, size: int = -1) -> bytes:
        """Return the first bytes, at most ``size`` of them."""
        return bytes(self.native.open().read(size))

    def validate_mime_type(self, allowed_types: Collection[str] | None = None) -> bool:
        """Check that the first bytes of the file are of an allowed type, and that its name matches this type.

        Raises ValueError for any other file, and for an unknown type.
        """
        kind = kind_of(self.read(LONGEST))
        if allowed_types and kind.mimetype not in allowed_types:
            raise ValueError(f"File type '{kind.mimetype}' not allowed. Allowed types: {', '.join(allowed_types)}")
        if not self.filename.lower().endswith(kind.suffixes):
            raise ValueError(f"The name of {self.filename!r} does not match its type '{kind.mimetype}'")
        return True

    def save(
        self,
        destination: str | os.PathLike[str],
        validate: bool = True,
        allowed_types: Collection[str] | None = None,
        secure_filename: bool = True,
        private: bool = False,
    ) -> str:
        """Save the file in a folder below the project's ``src/partials/uploads``, and return its path.

        The destination is such a folder, ends with a slash, or is a path whose last part does not count: the file gets
        a random name, or its own if that is not to be secure, with a number if it is taken. It is checked as
        ``validate_mime_type`` does. A private one can only be read by this user. Raises ValueError for a folder
        elsewhere, and for a file that does not pass.
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
            raise ValueError(f"{str(destination)!r} is not in {UPLOADS}: files are saved below it")
        return folder

    def _save_as_new(self, folder: Path) -> Path:
        """Save the file under its name, with the first free number."""
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
    """Return a name with a number before its extension. A name that is too long with the number loses its end."""
    start, suffix = os.path.splitext(name)
    ending = f"_{number}{suffix}"
    room = LONGEST_NAME - len(ending.encode())
    if room < 1:
        start, ending = name, f"_{number}"
        room = LONGEST_NAME - len(ending)
    return start.encode()[:room].decode(errors="ignore") + ending
