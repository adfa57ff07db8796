"""Files as responses, and the paths of files below a folder."""

import os

from antiphon import Response as NativeResponse
from antiphon.embedding import safe_filename
from antiphon.http import NotFound


def file_response(path: str, filename: str | None, as_attachment: bool) -> NativeResponse:
    """Make a response from the file at an absolute path, under a safe form of its own name or the given one.

    Raises NotFound (404) for anything that is not a regular file, and Forbidden (403) for a file that can't be read.
    """
    name = safe_filename(filename or os.path.basename(path))
    response = NativeResponse.file(path, filename=name, as_attachment=as_attachment)
    response.headers.pop("x-content-type-options", None)  # SECURITY_HEADERS decides whether to send it
    return response


def path_below(folder: str, path: str) -> str:
    """Return the real path of a file in a folder, from its absolute path or its path in the folder.

    Raises NotFound (404) for a path out of the folder, also through a link.
    """
    if "\0" in path:
        raise NotFound
    root = os.path.realpath(folder)
    for each in (path, path.lstrip("/")):
        found = os.path.realpath(os.path.join(root, each))
        if found.startswith(os.path.join(root, "")):
            return found
    raise NotFound
