"""The folder in which an application keeps large bodies, as it is named when the application is made."""

import os

from antiphon.paths import absolute_path


def usable_folder(path: str | os.PathLike[str]) -> str:
    """The path of a folder in which files can be made.

    Raises TypeError for what is no path in text, ValueError for a relative one, and where there is no such folder.
    """
    try:
        folder = absolute_path(path)
    except (TypeError, ValueError) as error:
        raise type(error)(f"upload_folder: {error}") from None
    if not os.path.isdir(folder):
        raise ValueError(f"upload_folder: there is no folder {folder!r}")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ValueError(f"upload_folder: no files can be made in {folder!r} by this user")
    return folder
