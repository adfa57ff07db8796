"""A folder as a route: a parameter that is written into URLs with the hash of its file, and the handler."""

from collections.abc import Callable
from itertools import count

from antiphon.app.static_folder import StaticFolder
from antiphon.request.request import Request
from antiphon.response.response import Response
from antiphon.routing.converters import CONVERTERS, Converter

_numbers = count(1)
"""Converters of different folders have different names, in whichever blueprints they are."""


def static_files(folder: StaticFolder) -> tuple[Converter, Callable[[Request], Response]]:
    """The converter of the parameter ``filename``, and what answers with its file. That waits for the file system."""

    def serve_file(request: Request) -> Response:
        return folder.response(request, request.params["filename"])

    converter = CONVERTERS["path"]._replace(name=f"static_{next(_numbers)}", to_url=folder.hashed)
    return converter, serve_file
