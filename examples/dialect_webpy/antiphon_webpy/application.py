"""The application: classes by patterns of paths, processors around them, and their return values."""

import logging
import re
import socket
from collections.abc import Callable, Iterable, Iterator
from functools import reduce
from http import HTTPStatus
from importlib import import_module
from itertools import chain
from typing import Any

from antiphon import Request as NativeRequest
from antiphon import Response as NativeResponse
from antiphon import get_response
from antiphon.embedding import ON_THREAD, Host, ThreadServer
from antiphon.http import HTTPError as NativeError
from antiphon_webpy.context import Storage, ctx
from antiphon_webpy.errors import HTTPError, InternalError, NoMethod, NotFound, Redirect

Processor = Callable[[Callable[[], Any]], Any]


def loadhook(hook: Callable[[], Any]) -> Processor:
    """Return a processor that calls a function before the handler."""

    def processor(handler: Callable[[], Any]) -> Any:
        hook()
        return handler()

    return processor


def unloadhook(hook: Callable[[], Any]) -> Processor:
    """Return a processor that calls a function when the handler has returned or failed."""

    def processor(handler: Callable[[], Any]) -> Any:
        try:
            return handler()
        finally:
            hook()

    return processor


class application(Host):  # noqa: N801 - web.py's name
    """An application, for servers of WSGI, ASGI and RSGI."""

    notfound: Callable[[], HTTPError] = NotFound
    internalerror: Callable[[], HTTPError] = InternalError

    def __init__(
        self, mapping: Iterable[Any] = (), fvars: dict[str, Any] | None = None, autoreload: Any = None
    ) -> None:
        super().__init__()
        if autoreload:
            raise TypeError("this dialect does not reload: use `antiphon run --reload`")
        flat = [*mapping]
        self.mapping = [*zip(flat[::2], flat[1::2], strict=True)]
        self.fvars = {} if fvars is None else fvars
        self.processors: list[Processor] = []

    def add_mapping(self, pattern: str, classname: Any) -> None:
        """Add a class for a pattern, after the others."""
        self.mapping.append((pattern, classname))

    def add_processor(self, processor: Processor) -> None:
        """Add a function around handlers, inside the earlier ones."""
        self.processors.append(processor)

    def wsgifunc(self, *middleware: Callable[[Any], Any]) -> Any:
        """Return the application, in middleware of WSGI."""
        return reduce(lambda app, each: each(app), middleware, self)

    def run(self, *middleware: Callable[[Any], Any]) -> None:
        """Serve at port 8080 of this machine until Ctrl-C."""
        ThreadServer(self.wsgifunc(*middleware), "wsgi", socket.create_server(("127.0.0.1", 8080)), threads=8).run()

    def request(
        self, localpart: str = "/", method: str = "GET", data: Any = None, host: str = "localhost", **options: Any
    ) -> Storage:
        """Answer a request in the process, as tests do; return the status, headers and data of the answer."""
        body = data if isinstance(data, bytes) else (data or "").encode()
        fields = {"host": host, **options.pop("headers", {})}
        if body:
            fields = {"content-type": "application/x-www-form-urlencoded", **fields}
        if options:
            raise TypeError(f"this dialect's request() has no {', '.join(options)}")
        native = NativeRequest.blank(f"http://{host}{localpart}", method, fields, body)
        response = get_response(self, native, "wsgi").freeze()
        items, status = [*response.headers.items()], HTTPStatus(response.status)
        line = f"{status.value} {status.phrase}"
        return Storage(status=line, headers=dict(items), header_items=items, data=response.body)

    async def respond_to_request(self, request: NativeRequest) -> NativeResponse:
        """Answer a request on a thread, since web.py's handlers block."""
        await ON_THREAD
        try:
            return self._sent(self.processed(iter(self.processors)))
        except HTTPError as raised:
            return self._raised(raised)
        except NativeError:
            raise  # such as a body that is too large
        except Exception:
            logging.getLogger("web").exception("%s %s failed", request.method, request.path)
            return self._raised(self.internalerror())

    def processed(self, processors: Iterator[Processor]) -> Any:
        """Return what the handler returns, inside the processors."""
        processor = next(processors, None)
        if processor is None:
            return self.handle()
        return processor(lambda: self.processed(processors))

    def handle(self, path: str | None = None) -> Any:
        """Call the class of the path, or the application that is mounted there."""
        path = ctx.path if path is None else path
        for pattern, target in self.mapping:
            if isinstance(target, application):
                if path.startswith(pattern):
                    ctx.homepath += pattern
                    ctx.home += pattern
                    ctx.path = path.removeprefix(pattern)
                    return target.processed(iter(target.processors))
            elif found := re.compile(rf"\A(?:{pattern})\Z").match(path):
                return self._called(target, found)
        raise self.notfound()

    def _called(self, target: Any, found: re.Match[str]) -> Any:
        if isinstance(target, str) and target.startswith("redirect "):
            raise Redirect(target.removeprefix("redirect ").strip())
        cls = self._class(target)
        method = "GET" if ctx.method == "HEAD" and not hasattr(cls, "HEAD") else ctx.method
        if not hasattr(cls, method):
            raise NoMethod(cls)
        return getattr(cls(), method)(*found.groups())

    def _class(self, target: Any) -> Any:
        if not isinstance(target, str):
            return target
        module, _, name = target.rpartition(".")
        return getattr(import_module(module), name) if module else self.fvars[name]

    def _raised(self, raised: HTTPError) -> NativeResponse:
        ctx.status = raised.status
        ctx.headers = [*ctx.headers, *raised.headers.items()]
        return self._sent(raised.data)

    def _sent(self, result: Any) -> NativeResponse:
        body: Any = b""
        if hasattr(result, "__next__"):
            body = map(_encoded, chain([next(result, "")], result))  # its first part may set headers
        else:
            body = _encoded(result)
        response = NativeResponse(None, int(str(ctx.status)[:3]), ctx.headers)
        response.body = body  # set afterwards, so that it gets no Content-Type: web.py sends none
        return response


def _encoded(part: Any) -> bytes:
    return part if isinstance(part, bytes) else str(part).encode()
