"""JSON through the current application's provider, or the standard library if there is no application."""

import json as _json
from typing import IO, TYPE_CHECKING, Any, AnyStr

from antiphon.dialects.flask.globals import _cv_app, current_app
from antiphon.dialects.flask.json.provider import _default

if TYPE_CHECKING:
    from antiphon.dialects.flask.wrappers import Response

__all__ = ["dump", "dumps", "jsonify", "load", "loads"]


def dumps(obj: Any, **kwargs: Any) -> str:
    """Encode a value with ``current_app.json.dumps``. Raises TypeError for a value that JSON can't represent."""
    if (ctx := _cv_app.get()) is not None:
        return ctx.app.json.dumps(obj, **kwargs)
    return _json.dumps(obj, **{"default": _default, **kwargs})


def dump(obj: Any, fp: IO[str], **kwargs: Any) -> None:
    """Write a value as JSON to a text file with ``current_app.json.dump``."""
    if (ctx := _cv_app.get()) is not None:
        ctx.app.json.dump(obj, fp, **kwargs)
    else:
        _json.dump(obj, fp, **{"default": _default, **kwargs})


def loads(s: str | bytes, **kwargs: Any) -> Any:
    """Parse JSON with ``current_app.json.loads``. Raises ValueError for malformed JSON."""
    if (ctx := _cv_app.get()) is not None:
        return ctx.app.json.loads(s, **kwargs)
    return _json.loads(s, **kwargs)


def load(fp: IO[AnyStr], **kwargs: Any) -> Any:
    """Parse the JSON in a file with ``current_app.json.load``."""
    if (ctx := _cv_app.get()) is not None:
        return ctx.app.json.load(fp, **kwargs)
    return _json.load(fp, **kwargs)


def jsonify(*args: Any, **kwargs: Any) -> "Response":
    """Return a JSON response with one value, with several as an array, or with keyword arguments as an object.

    ``current_app.json.response`` makes it. Raises TypeError if positional and keyword arguments are mixed, and
    RuntimeError without an application.
    """
    ctx = _cv_app.get()
    provider = current_app.json if ctx is None else ctx.app.json  # without a context, current_app raises the error
    return provider.response(*args, **kwargs)
