"""A WSGI application for the embedded server, called through the adapters, which tolerate its mistakes."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextvars import Context, copy_context
from functools import partial
from queue import SimpleQueue
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, TypeVar

from antiphon import Request, Response, from_wsgi
from antiphon.embedding import UNBOUNDED, ServedFunction

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

T = TypeVar("T")


class ServedApplication(ServedFunction):
    """A WSGI application for servers of any interface. Its errors are logged, and answered with an error page."""

    def __init__(self, application: "WSGIApplication") -> None:
        super().__init__(from_wsgi(application))

    async def _handle(self, request: Request) -> Response:
        """Answer a request, whose body may have any size."""
        request.limits = UNBOUNDED  # the application has its own limits, and reads its body as a stream
        return await super()._handle(request)


class OneByOne:
    """A WSGI application that answers one request at a time, all of them on one thread, until ``end``."""

    def __init__(self, application: "WSGIApplication") -> None:
        self._application = application
        self._turn = Lock()
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._adding = Lock()
        self._has_ended = False
        Thread(target=self._work, name="antiphon-werkzeug", daemon=True).start()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request; others wait until the body is closed."""
        self._turn.acquire()
        run = partial(self._run, copy_context())
        try:
            return _Body(run, run(partial(self._application, environ, start_response)), self._turn.release)
        except BaseException:
            self._turn.release()
            raise

    def end(self) -> None:
        """End the thread after its last call."""
        with self._adding:
            self._has_ended = True
            self._calls.put(None)

    def _run(self, context: Context, function: Callable[[], T]) -> T:
        """Call a function on the thread, and return its result. After the thread's end it is called on this one."""
        result: Future[T] = Future()

        def call() -> None:
            try:
                result.set_result(context.run(function))
            except BaseException as error:
                result.set_exception(error)

        with self._adding:
            is_late = self._has_ended
            if not is_late:
                self._calls.put(call)
        if is_late:
            call()
        return result.result()

    def _work(self) -> None:
        while call := self._calls.get():
            call()


class _Body:
    """A body whose chunks are made by ``run``, and which is closed by it; after that ``on_close`` is called, once."""

    def __init__(
        self, run: Callable[[Callable[[], Any]], Any], body: Iterable[bytes], on_close: Callable[[], None]
    ) -> None:
        self._run = run
        self._body = body
        self._on_close = [on_close]
        self._chunks: Iterator[bytes] = run(partial(iter, body))

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        chunk: bytes | None = self._run(partial(next, self._chunks, None))
        if chunk is None:
            raise StopIteration
        return chunk

    def close(self) -> None:
        """Close the body, if it can be closed."""
        try:
            if close := getattr(self._body, "close", None):
                self._run(close)
        finally:
            while self._on_close:
                self._on_close.pop()()
