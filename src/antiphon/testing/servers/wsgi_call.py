"""One request as a WSGI server plays it (PEP 3333): calls the application, iterates its body, closes it."""

from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Any, TypeAlias

from antiphon.http.headers import HOP_BY_HOP
from antiphon.testing.errors import ContractError
from antiphon.testing.servers.checks import checked_head, checked_status
from antiphon.testing.servers.exchange import Head
from antiphon.testing.servers.wsgi_environ import FileWrapper
from antiphon.testing.servers.wsgi_steps import Item, Items

ExcInfo: TypeAlias = tuple[type[BaseException], BaseException, TracebackType | None]
Write: TypeAlias = Callable[[bytes], object]
StartResponse: TypeAlias = Callable[..., Write]
WSGIApplication: TypeAlias = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]


class WSGICall:
    """Plays the server and checks the application. ``items`` gives what goes to the client, as it is made.

    ``push`` takes what the application writes with ``write``, which is not iterated.
    """

    def __init__(self, application: WSGIApplication, environ: dict[str, Any], push: Callable[[Item], None]) -> None:
        self._application = application
        self._environ = environ
        self._push = push
        self._head: Head | None = None
        self._head_sent = False
        self.fault: ContractError | None = None

    def items(self) -> Items:
        """The head, and then the chunks of the body. Closing this closes all.

        The head goes out with the first chunk that is not empty, or at the end.
        """
        body: object = None
        try:
            body = self._application(self._environ, self.start_response)
            for chunk in self._chunks(body):
                if chunk:
                    yield from self._begin()
                    yield chunk
            yield from self._begin()
        finally:
            if (close := getattr(body, "close", None)) is not None:
                close()

    def start_response(self, status: str, headers: list[tuple[str, str]], exc_info: ExcInfo | None = None) -> Write:
        """Take a head, once; after that only with ``exc_info``, which is raised if a head has gone out."""
        if exc_info is not None:
            self._check(
                isinstance(exc_info, tuple) and len(exc_info) == 3,
                f"exc_info is a tuple of three, not {exc_info!r}",
            )
            if self._head_sent:
                raise exc_info[1].with_traceback(exc_info[2])
        self._check(
            self._head is None or exc_info is not None,
            "start_response was called a second time without exc_info",
        )
        try:
            self._head = checked_head(_status(status), _fields(headers))
        except ValueError as error:
            raise self._refuse(f"{error} (in start_response({status!r}, {headers!r:.300}))") from error
        return self.write

    def write(self, data: bytes) -> None:
        """Send a chunk at once, and with the first one the head."""
        self._check(type(data) is bytes, f"write takes bytes, not {type(data).__name__}")
        for item in self._begin() if data else ():
            self._push(item)
        if data:
            self._push(data)

    def _chunks(self, body: object) -> Iterator[bytes]:
        if isinstance(body, str | bytes) or not isinstance(body, Iterable):
            raise self._refuse(f"the application returns an iterable of bytes, not {type(body).__name__}")
        limit = self._file_length(body)
        for chunk in body:
            self._check(type(chunk) is bytes, f"the chunks of the body are bytes, not {type(chunk).__name__}")
            self._check(self._head is not None, "the body began before start_response was called")
            if limit is not None:
                chunk = chunk[:limit]  # noqa: PLW2901 - as much of it as the server sends
                limit -= len(chunk)
            yield chunk

    def _file_length(self, body: Iterable[object]) -> int | None:
        """How much of a wrapped file a server sends."""
        length = self._head.headers.get("content-length") if self._head else None
        return int(length) if length is not None and isinstance(body, FileWrapper) else None

    def _begin(self) -> Iterator[Head]:
        """The head, unless it has been sent."""
        if not self._head_sent:
            if self._head is None:
                raise self._refuse("the application has ended without calling start_response")
            self._head_sent = True
            yield self._head

    def _check(self, condition: bool, complaint: str) -> None:
        if not condition:
            raise self._refuse(complaint)

    def _refuse(self, complaint: str) -> ContractError:
        error = ContractError(complaint)
        self.fault = self.fault or error
        return error


def _status(status: object) -> int:
    """The number of a status line such as "200 OK"."""
    if type(status) is not str:
        raise ValueError(f"the status is a str, not {type(status).__name__}")
    code, space, phrase = status.partition(" ")
    if not (code.isascii() and code.isdigit() and len(code) == 3 and space and phrase.strip() == phrase != ""):
        raise ValueError('the status is a code, a space and a phrase, such as "200 OK"')
    if not (phrase.isprintable() and _is_latin1(phrase)):
        raise ValueError("the status has a character that can't be sent")
    return checked_status(int(code))


def _fields(headers: object) -> Iterator[tuple[str, str]]:
    if type(headers) is not list:
        raise ValueError(f"the headers are a list, not {type(headers).__name__}")
    for field in headers:
        match field:
            case (str(name), str(value)) if type(field) is tuple and type(name) is type(value) is str:
                if name.lower() in HOP_BY_HOP:
                    raise ValueError(f"{name} is for servers, not for applications, to set")
                yield name, value
            case _:
                raise ValueError(f"a header is a tuple of two str, not {field!r}")


def _is_latin1(text: str) -> bool:
    return not text or max(text) <= "\xff"
