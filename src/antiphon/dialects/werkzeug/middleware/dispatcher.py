"""Middleware that mounts WSGI applications at paths."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class DispatcherMiddleware:
    """Middleware that passes each request to the mounted application with the longest matching path, or else to
    ``app``.

    ``mounts`` maps paths to applications. A path matches whole segments only, and is moved from PATH_INFO to
    SCRIPT_NAME.
    """

    def __init__(self, app: "WSGIApplication", mounts: "Mapping[str, WSGIApplication] | None" = None) -> None:
        self.app = app
        self.mounts: Mapping[str, WSGIApplication] = mounts or {}

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        path: str = environ.get("PATH_INFO", "")
        longest = max(map(len, self.mounts), default=0)
        root = path
        while root not in self.mounts and "/" in root:
            root = root[: max(root.rfind("/", 0, longest + 1), root.index("/"))]
        environ["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "") + root
        environ["PATH_INFO"] = path[len(root) :]
        return self.mounts.get(root, self.app)(environ, start_response)
