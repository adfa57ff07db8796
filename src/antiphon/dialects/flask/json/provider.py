"""JSON providers, which determine how an application reads and writes JSON."""

import dataclasses
import decimal
import json
import sys
import uuid
import weakref
from collections.abc import Callable
from datetime import date
from json import encoder as standard
from typing import IO, TYPE_CHECKING, Any, AnyStr, TypeAlias

from antiphon.dialects.werkzeug.http import http_date
from antiphon.embedding import decode_json
from antiphon.http import BadRequest

if TYPE_CHECKING:
    from antiphon.dialects.flask.sansio.app import App
    from antiphon.dialects.flask.wrappers import Response

_make_chunker: Any = getattr(standard, "c_make_encoder", None)
"""The C implementation of the standard encoder, which only CPython has."""

COMPACT = {"separators": (",", ":")}
"""The options for JSON without spaces."""


class JSONProvider:
    """The base class for an application's JSON providers. Subclasses define ``dumps`` and ``loads``.

    Use it as an application class's ``json_provider_class``, or set an instance as an application's ``json``.
    """

    def __init__(self, app: "App") -> None:
        self._app: App = weakref.proxy(app)

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        raise NotImplementedError

    def dump(self, obj: Any, fp: IO[str], **kwargs: Any) -> None:
        """Write a value as JSON to a text file."""
        fp.write(self.dumps(obj, **kwargs))

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        raise NotImplementedError

    def load(self, fp: IO[AnyStr], **kwargs: Any) -> Any:
        return self.loads(fp.read(), **kwargs)

    def _prepare_response_obj(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if args and kwargs:
            raise TypeError("app.json.response() takes either args or kwargs, not both")
        if len(args) == 1:
            return args[0]
        return args or kwargs or None

    def response(self, *args: Any, **kwargs: Any) -> "Response":
        """Return a JSON response with one value, with several as an array, or with keyword arguments as an object.

        Without arguments, the response is null.

        Raises TypeError if positional and keyword arguments are mixed.
        """
        text = self.dumps(self._prepare_response_obj(args, kwargs))
        return self._app.response_class(text, mimetype="application/json")


def _default(o: Any) -> Any:
    """Return the replacement for a value of a type that JSON lacks. Raises TypeError for an unsupported type."""
    if isinstance(o, date):
        return http_date(o)
    if isinstance(o, decimal.Decimal | uuid.UUID):
        return str(o)
    if dataclasses.is_dataclass(o):
        return dataclasses.asdict(o)  # type: ignore[arg-type]  # which rejects classes
    if hasattr(o, "__html__"):
        return str(o.__html__())
    raise TypeError(f"Object of type {type(o).__name__} is not JSON serializable")


_Settings: TypeAlias = tuple[Callable[[Any], Any], bool, bool, bool]
"""An encoder's settings: ``default``, ``ensure_ascii``, ``sort_keys``, and True for JSON without spaces."""


class DefaultJSONProvider(JSONProvider):
    """JSON as in the standard library, with support for more types.

    Dates are written as in HTTP headers, UUIDs and decimals as strings, dataclasses as objects, and objects with
    ``__html__`` as strings.
    """

    default: Callable[[Any], Any] = staticmethod(_default)
    """The function that returns the replacement for a value of a type that JSON lacks, or raises TypeError."""
    ensure_ascii = True
    """Escape all non-ASCII characters."""
    sort_keys = True
    """Sort the names in objects, which must then all be strings."""
    compact: bool | None = None
    """Omit spaces and line breaks in responses. None means only outside of debug mode."""
    mimetype = "application/json"
    """The content type of responses."""

    _encoder: "tuple[_Settings | None, Callable[[Any], str]]" = (None, str)
    """The last encoder, cached because making one takes as long as writing a small value."""

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        """Encode a value as JSON. Accepts the arguments of ``json.dumps``; attributes provide their defaults.

        Raises TypeError for a value that JSON can't represent, and ValueError for one that contains itself.
        """
        if kwargs and kwargs != COMPACT:
            options = {"default": self.default, "ensure_ascii": self.ensure_ascii, "sort_keys": self.sort_keys}
            return json.dumps(obj, **{**options, **kwargs})
        settings = (self.default, self.ensure_ascii, self.sort_keys, bool(kwargs))
        known, encode = self._encoder
        if known != settings:
            encode = _encode_with(*settings)
            self._encoder = settings, encode
        return encode(obj)

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """Parse JSON. Accepts the arguments of ``json.loads``. Raises ValueError for malformed JSON."""
        if not kwargs and isinstance(s, str | bytes) and s[:1] != "\ufeff":
            try:
                return decode_json(s.encode() if isinstance(s, str) else s, depth=sys.maxsize)
            except (BadRequest, UnicodeEncodeError):
                pass  # The standard library raises its own error, or accepts the text after all: NaN, or UTF-16.
        try:
            return json.loads(s, **kwargs)
        except RecursionError:
            raise ValueError("The JSON is nested too deeply.") from None

    def response(self, *args: Any, **kwargs: Any) -> "Response":
        """Return a JSON response that ends with a newline, as ``JSONProvider.response`` does."""
        value = self._prepare_response_obj(args, kwargs)
        is_compact = not self._app.debug if self.compact is None else self.compact
        text = self.dumps(value, **COMPACT) if is_compact else self.dumps(value, indent=2)
        return self._app.response_class(f"{text}\n", mimetype=self.mimetype)


def _encode_with(
    default: Callable[[Any], Any], ensure_ascii: bool, sort_keys: bool, is_compact: bool
) -> Callable[[Any], str]:
    """Return an equivalent of ``json.dumps`` with these settings that is prepared only once."""
    separators = COMPACT["separators"] if is_compact else (", ", ": ")
    encoder = json.JSONEncoder(default=default, ensure_ascii=ensure_ascii, sort_keys=sort_keys, separators=separators)
    if _make_chunker is None:
        return encoder.encode
    write_text = standard.encode_basestring_ascii if ensure_ascii else standard.encode_basestring
    chunks = _make_chunker(None, default, write_text, None, *reversed(separators), sort_keys, False, True)

    def encode(value: Any) -> str:
        try:
            return "".join(chunks(value, 0))
        except RecursionError:
            return encoder.encode(value)  # its error mentions that the value contains itself

    return encode
