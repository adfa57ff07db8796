"""Files as responses: those of a path that the program has chosen, and those below a folder."""

import os

from antiphon.http.errors import NotFound
from antiphon.response.response import Response as NativeResponse
from antiphon.uploads.saving import safe_filename


def file_response(path: str, filename: str | None, as_attachment: bool) -> NativeResponse:
    """Make a response of the file at an absolute path, under its own name if it is given no other, made safe.

    Raises NotFound (404) for what is no regular file, Forbidden (403) for one that can't be read.
    """
    name = safe_filename(filename or os.path.basename(path))
    return NativeResponse.file(path, filename=name, as_attachment=as_attachment)


def path_below(folder: str, relative: str) -> str:
    """Return the path of a file in a folder. Raises NotFound (404) for one that leads out of it, also by a link."""
    if "\0" in relative:
        raise NotFound
    root = os.path.realpath(folder)
    path = os.path.realpath(os.path.join(root, relative.lstrip("/")))
    if not path.startswith(os.path.join(root, "")):
        raise NotFound
    return path
