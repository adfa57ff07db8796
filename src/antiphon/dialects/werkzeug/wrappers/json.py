"""JSON in the bodies of requests and responses, and the response's body as a writable file."""

import json
import sys
from collections.abc import Callable, Iterable
from functools import cache
from typing import TYPE_CHECKING, Any, NoReturn

from antiphon import Limits
from antiphon.dialects.werkzeug.exceptions.base import BadRequest
from antiphon.dialects.werkzeug.exceptions.statuses import UnsupportedMediaType
from antiphon.embedding import lazy
from antiphon.http import BadRequest as Unreadable


@cache
def _reader() -> Callable[..., object]:
    from antiphon.embedding import decode_json  # imported on first use, since this loads msgspec

    return decode_json


def loads(module: Any, data: bytes, depth: int) -> Any:
    """Decode data with ``module.loads`` or a faster equivalent.

    Raises ValueError if the data is malformed or nested more than ``depth`` levels deep, or the module's own errors.
    """
    try:
        decoded = _reader()(data, depth=depth)
        if module is json:
            return decoded
    except Unreadable as error:
        if "limit" in error.members:
            raise ValueError(error.detail) from error
        # Let the module raise its own error or accept the data anyway, such as NaN or UTF-16.
    try:
        return module.loads(data)
    except RecursionError:
        raise ValueError("The JSON is nested too deeply.") from None


def is_json_type(mimetype: str) -> bool:
    """Return True for a JSON media type."""
    return mimetype == "application/json" or (mimetype.startswith("application/") and mimetype.endswith("+json"))


class JSONTypeMixin:
    """A mixin whose attribute recognizes JSON by its media type."""

    if TYPE_CHECKING:

        @property
        def mimetype(self) -> Any: ...

    @property
    def is_json(self) -> bool:
        """True if the content type is JSON."""
        return is_json_type(self.mimetype or "")


class _JSON(JSONTypeMixin):
    """The base class for bodies that may be JSON. ``json_module.loads`` decodes them."""

    get_data: Any
    json_module: Any = json

    @property
    def json(self) -> Any:
        """The decoded body. See ``get_json``."""
        return self.get_json()

    def get_json(self, force: bool = False, silent: bool = False) -> Any:
        raise NotImplementedError


class JSONMixin(_JSON):
    """A mixin that reads a request's body as JSON."""

    max_json_depth = Limits().json_depth
    """The maximum nesting depth of arrays and objects. Deeper JSON is treated as malformed."""
    _cached_json: tuple[Any, Any] = (..., ...)
    """The results of ``get_json``, without and with ``silent``."""

    def get_json(self, force: bool = False, silent: bool = False, cache: bool = True) -> Any:
        """Return the decoded body. ``force`` ignores its content type, and ``cache`` keeps the result.

        Raises UnsupportedMediaType if the content type is not JSON, or BadRequest if the JSON is malformed, unless
        ``on_json_loading_failed`` is overridden. With ``silent``, it returns None instead.
        """
        if cache and self._cached_json[silent] is not ...:
            return self._cached_json[silent]
        if not (force or self.is_json):
            return None if silent else self.on_json_loading_failed(None)
        try:
            value = loads(self.json_module, self.get_data(cache=cache), self.max_json_depth)
            both = (value, value)
        except ValueError as error:
            value = None if silent else self.on_json_loading_failed(error)
            both = (self._cached_json[0], value) if silent else (value, self._cached_json[1])
        if cache:
            self._cached_json = both
        return value

    def on_json_loading_failed(self, e: ValueError | None) -> Any:
        """Return the result of a failed ``get_json``, or raise an error.

        ``e`` is None if the content type is not JSON.
        """
        _refuse(e)


def _refuse(error: ValueError | None) -> NoReturn:
    if error is None:
        raise UnsupportedMediaType(
            "Did not attempt to load JSON data because the request Content-Type was not 'application/json'."
        )
    raise BadRequest(f"Failed to decode JSON object: {error}")


class JSONResponseMixin(_JSON):
    """A mixin that reads a response's body as JSON."""

    def get_json(self, force: bool = False, silent: bool = False) -> Any:
        """Return the decoded body, or None if the content type is not JSON and ``force`` is False.

        Raises ValueError if the JSON is malformed. With ``silent``, it returns None instead.
        """
        if not (force or self.is_json):
            return None
        try:
            return loads(self.json_module, self.get_data(), sys.maxsize)
        except ValueError:
            if silent:
                return None
            raise


class ResponseStream:
    """A file that appends everything written to it to a response's body."""

    mode = "wb+"

    def __init__(self, response: Any) -> None:
        self.response = response
        self.closed = False

    def write(self, value: bytes) -> int:
        """Append bytes to the body and return their number. Raises ValueError if the stream is closed."""
        self._check_open()
        self.response.ensure_list().append(value)
        self.response.headers.pop("Content-Length", None)
        return len(value)

    def writelines(self, seq: Iterable[bytes]) -> None:
        """Append several chunks to the body."""
        for chunk in seq:
            self.write(chunk)

    def close(self) -> None:
        """Close the stream, so that further writes raise ValueError."""
        self.closed = True

    def flush(self) -> None:
        """Do nothing. Raises ValueError if the stream is closed."""
        self._check_open()

    def isatty(self) -> bool:
        """Return False. Raises ValueError if the stream is closed."""
        self._check_open()
        return False

    def tell(self) -> int:
        return sum(map(len, self.response.ensure_list()))

    @property
    def encoding(self) -> str:
        charset: str = self.response._charset  # noqa: SLF001 - same package
        return charset

    def _check_open(self) -> None:
        if self.closed:
            raise ValueError("I/O operation on closed file")


class ResponseStreamMixin:
    """A mixin that makes the body writable."""

    @lazy
    def stream(self) -> ResponseStream:
        """The body as a writable file."""
        return ResponseStream(self)
