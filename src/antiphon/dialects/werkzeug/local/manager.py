"""Releases of context-local objects after each request."""

from collections.abc import Callable, Iterable
from functools import update_wrapper
from threading import get_ident
from typing import TYPE_CHECKING, Any

from antiphon.dialects._environ.chunks import ClosingIterator
from antiphon.dialects.werkzeug.local.storage import Local, LocalStack, release_local

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class LocalManager:
    """A group of context-local objects that are released together, by ``cleanup`` or after each response."""

    __slots__ = ("ident_func", "locals")

    def __init__(
        self,
        locals: "Local | LocalStack[Any] | Iterable[Local | LocalStack[Any]] | None" = None,  # noqa: A002 - its name in Werkzeug
        ident_func: Callable[[], Any] | None = None,
    ) -> None:
        self.locals = [locals] if isinstance(locals, (Local, LocalStack)) else list(locals or ())
        self.ident_func = ident_func or get_ident

    def get_ident(self) -> Any:
        """Return the identity of the thread. Contexts need none."""
        return self.ident_func()

    def cleanup(self) -> None:
        """Release all objects, for this context."""
        for local in self.locals:
            release_local(local)

    def make_middleware(self, app: "WSGIApplication") -> "WSGIApplication":
        """Return an application that releases the objects after each response of ``app``."""

        def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
            return ClosingIterator(app(environ, start_response), self.cleanup)

        return application

    def middleware(self, func: "WSGIApplication") -> "WSGIApplication":
        """Decorate an application, so that the objects are released after each of its responses."""
        return update_wrapper(self.make_middleware(func), func)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} storages: {len(self.locals)}>"
