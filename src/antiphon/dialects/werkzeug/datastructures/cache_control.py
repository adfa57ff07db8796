"""Cache-Control as a dictionary of directives, with an attribute for each known directive (RFC 9111 §5.2)."""

from typing import Any

from antiphon.dialects.werkzeug.datastructures.dicts import Directives
from antiphon.dialects.werkzeug.datastructures.mixins import ImmutableDictMixin
from antiphon.dialects.werkzeug.tokens import dump_header


def cache_control_property(key: str, empty: Any, type: Any, *, doc: str | None = None) -> Any:  # noqa: A002 - its name
    """Return an attribute for a directive: a bool if ``type`` is bool, or else the argument converted by ``type``.

    It returns ``empty`` if the directive has no argument, or None if the directive is missing or malformed.
    """

    def read(control: "_CacheControl") -> Any:
        if type is bool:
            return key in control
        argument = control.get(key)
        if argument is None:
            return empty if key in control else None
        try:
            return argument if type is None else type(argument)
        except ValueError:
            return None

    def write(control: "_CacheControl", value: Any) -> None:
        if value is None or value is False or (type is bool and not value):
            control.pop(key, None)
        elif value is True or type is bool:
            control[key] = None
        else:
            control[key] = str(value if type is None else type(value))

    def delete(control: "_CacheControl") -> None:
        if key in control:
            del control[key]

    return property(read, write, delete, doc or f"The `{key}` directive.")


cache_property = cache_control_property
"""The name of ``cache_control_property`` up to Werkzeug 1."""


class _CacheControl(Directives[str | None]):
    """A dictionary of directives and their arguments, which are None for directives without an argument.

    ``provided`` is False if the directives were made from None, which means that the message has no such header.
    """

    no_store = cache_control_property("no-store", None, bool)
    max_age = cache_control_property("max-age", None, int)
    no_transform = cache_control_property("no-transform", None, bool)
    stale_if_error = cache_control_property("stale-if-error", None, int)

    cache_property = staticmethod(cache_control_property)

    def to_header(self) -> str:
        return dump_header(self)


class RequestCacheControl(  # pyright: ignore[reportIncompatibleMethodOverride]  # `fromkeys` returns this class
    ImmutableDictMixin[str, str | None], _CacheControl
):
    """A request's directives, which can't be changed."""

    no_cache = cache_control_property("no-cache", None, bool)
    max_stale = cache_control_property("max-stale", True, int)
    min_fresh = cache_control_property("min-fresh", None, int)
    only_if_cached = cache_control_property("only-if-cached", None, bool)


class ResponseCacheControl(_CacheControl):
    """A response's directives. Changes to them change its header."""

    no_cache = cache_control_property("no-cache", True, None)
    public = cache_control_property("public", None, bool)
    private = cache_control_property("private", True, None)
    must_revalidate = cache_control_property("must-revalidate", None, bool)
    proxy_revalidate = cache_control_property("proxy-revalidate", None, bool)
    s_maxage = cache_control_property("s-maxage", None, int)
    immutable = cache_control_property("immutable", None, bool)
    must_understand = cache_control_property("must-understand", None, bool)
    stale_while_revalidate = cache_control_property("stale-while-revalidate", None, int)
