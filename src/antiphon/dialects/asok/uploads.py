"""Uploaded files, as pages see them."""

import os
from pathlib import Path

from antiphon.uploads.upload import Upload


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
    def content_type(self) -> str | None:
        """The media type that the client has declared; None if it has declared none."""
        return self.native.mimetype or None

    def read(self, size: int = -1) -> bytes:
        """Return the first bytes, at most ``size`` of them, or all."""
        return self.native.open().read(size)

    def save(self, destination: str | os.PathLike[str]) -> str:
        """Save the file, and return its path.

        A relative destination is in the project's ``src/partials/uploads``; one that ends with a slash, or that is a
        folder, gets the file's own name.
        """
        path = Path(self._root, "src/partials/uploads", destination)
        if str(destination).endswith("/") or path.is_dir():
            path /= self.filename
        path.parent.mkdir(parents=True, exist_ok=True)
        return str(self.native.save(path))
