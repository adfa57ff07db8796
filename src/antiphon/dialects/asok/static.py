"""Static files: those in ``css``, ``js``, ``images`` and ``uploads`` in ``src/partials``."""

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from antiphon import App
from antiphon.dialects.asok.config import folder_of

if TYPE_CHECKING:
    from antiphon.dialects.asok.app import Asok
    from antiphon.dialects.asok.request import Request

FOLDERS = ("css", "js", "images", "uploads")
UPLOADS = "src/partials/uploads"
"""The folder of uploaded files, in a project's."""


def install_static(app: "Asok", native: App) -> None:
    """Register the routes of a project's files. The folder of uploads is made where it may be."""
    partials = os.path.join(app.root_dir, app.dirs["PARTIALS"])
    if os.path.isdir(partials):
        with suppress(OSError):
            os.makedirs(os.path.join(partials, "uploads"), exist_ok=True)
    for name in FOLDERS:
        if folder := folder_of(partials, name):
            native.static(f"/{name}", folder, name=f"static/{name}")


def static_url(request: "Request", filepath: str) -> str:
    """Return the URL of a project's file, "css/site.css", with the hash of the file in it.

    Unless ``DEBUG`` is on, it is that of "css/site.min.css" if there is one. The URL of any other file is its path.
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
