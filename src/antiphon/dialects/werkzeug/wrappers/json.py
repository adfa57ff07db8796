"""Bodies that are JSON."""

import json
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, NoReturn

from antiphon.dialects.werkzeug.exceptions.bad_request import BadRequest
from antiphon.dialects.werkzeug.exceptions.client_errors import UnsupportedMediaType
from antiphon.http.errors import BadRequest as Unreadable


@cache
def _decoder() -> Callable[[bytes], object]:
    # It loads msgspec, so that it is imported when JSON is first read.
    from antiphon.serialization.json import decode_json

    return decode_json


def loads(module: Any, data: bytes) -> Any:
    """What ``module.loads`` makes of the data. Raises ValueError, or what that does."""
    if module is json:
        try:
            return _decoder()(data)
        except Unreadable:
            pass  # what the standard library tells of it, or reads all the same: NaN, and text in UTF-16
    return module.loads(data)


def is_json_type(mimetype: str) -> bool:
    """Return True if what has this media type is JSON."""
    return mimetype == "application/json" or (mimetype.startswith("application/") and mimetype.endswith("+json"))


class _JSON:
    """A body that may be JSON, which is read by ``json_module.loads``."""

    get_data: Any
    if TYPE_CHECKING:

        @property
        def mimetype(self) -> Any: ...

    json_module: Any = json

    @property
    def is_json(self) -> bool:
        """True if the content type says that it is JSON."""
        return is_json_type(self.mimetype or "")

    @property
    def json(self) -> Any:
        """The body's value: see ``get_json``."""
        return self.get_json()

    def get_json(self, force: bool = False, silent: bool = False) -> Any:
        """Return the body's value."""
        raise NotImplementedError


class JSONMixin(_JSON):
    """The body of a request as JSON."""

    _cached_json: tuple[Any, Any] = (..., ...)
    """What was read, where a failure raises, and where it is silent."""

    def get_json(self, force: bool = False, silent: bool = False, cache: bool = True) -> Any:
        """Return the body's value, whatever its content type if that is forced, and kept if it may be.

        Raises UnsupportedMediaType for another content type, and BadRequest for what is no JSON, unless
        ``on_json_loading_failed`` is overridden, or it is ``silent``: None then.
        """
        if cache and self._cached_json[silent] is not ...:
            return self._cached_json[silent]
        if not (force or self.is_json):
            return None if silent else self.on_json_loading_failed(None)
        try:
            value = loads(self.json_module, self.get_data(cache=cache))
            both = (value, value)
        except ValueError as error:
            value = None if silent else self.on_json_loading_failed(error)
            both = (self._cached_json[0], value) if silent else (value, self._cached_json[1])
        if cache:
            self._cached_json = both
        return value

    def on_json_loading_failed(self, e: ValueError | None) -> Any:
        """Called where ``get_json`` fails, which returns what it returns; without an error for another content type."""
        _refuse(e)


def _refuse(error: ValueError | None) -> NoReturn:
    if error is None:
        raise UnsupportedMediaType("The Content-Type is not 'application/json', so that nothing was read as JSON.")
    raise BadRequest(f"Failed to decode JSON object: {error}")


class JSONResponseMixin(_JSON):
    """The body of a response as JSON."""

    def get_json(self, force: bool = False, silent: bool = False) -> Any:
        """Return the body's value; None for another content type, unless it is forced.

        Raises ValueError for what is no JSON; if ``silent`` that is None.
        """
        if not (force or self.is_json):
            return None
        try:
            return loads(self.json_module, self.get_data())
        except ValueError:
            if silent:
                return None
            raise
