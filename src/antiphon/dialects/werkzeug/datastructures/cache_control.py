"""Cache-Control (RFC 9111 §5.2) and Content-Security-Policy, with an attribute for each known directive."""

from typing import Any

from antiphon.dialects.werkzeug.datastructures.dicts import Directives
from antiphon.dialects.werkzeug.datastructures.mixins import ImmutableDictMixin
from antiphon.dialects.werkzeug.tokens import dump_csp_header, dump_header


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
        control.pop(key, None)

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


def csp_property(key: str) -> Any:
    """Return an attribute for a directive. A missing directive is None, and setting None removes it."""

    def write(policy: "ContentSecurityPolicy", value: str | None) -> None:
        if value is None:
            policy.pop(key, None)
        else:
            policy[key] = value

    def delete(policy: "ContentSecurityPolicy") -> None:
        policy.pop(key, None)

    return property(lambda policy: policy.get(key), write, delete, f"The `{key}` directive.")


class ContentSecurityPolicy(Directives[str]):
    """Directives by name. Changes to them change the response's header.

    ``provided`` is False if the directives were made from None, which means that the message has no such header.
    """

    base_uri = csp_property("base-uri")
    child_src = csp_property("child-src")
    connect_src = csp_property("connect-src")
    default_src = csp_property("default-src")
    font_src = csp_property("font-src")
    form_action = csp_property("form-action")
    frame_ancestors = csp_property("frame-ancestors")
    frame_src = csp_property("frame-src")
    img_src = csp_property("img-src")
    manifest_src = csp_property("manifest-src")
    media_src = csp_property("media-src")
    navigate_to = csp_property("navigate-to")
    object_src = csp_property("object-src")
    plugin_types = csp_property("plugin-types")
    prefetch_src = csp_property("prefetch-src")
    report_to = csp_property("report-to")
    report_uri = csp_property("report-uri")
    sandbox = csp_property("sandbox")
    script_src = csp_property("script-src")
    script_src_attr = csp_property("script-src-attr")
    script_src_elem = csp_property("script-src-elem")
    style_src = csp_property("style-src")
    style_src_attr = csp_property("style-src-attr")
    style_src_elem = csp_property("style-src-elem")
    worker_src = csp_property("worker-src")

    def to_header(self) -> str:
        return dump_csp_header(self)
