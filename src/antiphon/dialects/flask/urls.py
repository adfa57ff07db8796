"""URLs of endpoints, built by the rules of an application."""

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from antiphon.dialects.flask.globals import _cv_app
from antiphon.dialects.werkzeug.routing.exceptions import BuildError

if TYPE_CHECKING:
    from antiphon.dialects.flask.app import Flask
    from antiphon.dialects.werkzeug.routing.adapter import MapAdapter

_ANCHOR_SAFE = "%!#$&'()*+,/:;=?@"


def url_of(
    app: "Flask",
    endpoint: str,
    values: dict[str, Any],
    anchor: str | None,
    method: str | None,
    scheme: str | None,
    is_external: bool | None,
) -> str:
    """Return the URL of an endpoint with values: see ``Flask.url_for``."""
    ctx = _cv_app.get()
    holder = None if ctx is None else ctx.holder
    adapter: MapAdapter | None
    if holder is not None:
        adapter = holder.url_adapter
        if endpoint[:1] == ".":
            endpoint = f"{holder.request.blueprint or ''}{endpoint}".lstrip(".")
        external = scheme is not None if is_external is None else is_external
    else:
        adapter = app.create_url_adapter(None) if ctx is None else ctx.url_adapter
        external = True if is_external is None else is_external
    if adapter is None:
        raise RuntimeError(
            "Outside of a request nothing says of which server a URL is: set 'SERVER_NAME', and 'APPLICATION_ROOT'"
            " and 'PREFERRED_URL_SCHEME' if they are others than / and http."
        )
    if scheme is not None and not external:
        raise ValueError("a path has no scheme: leave '_external' out, or make it True, to give '_scheme'")
    app.inject_url_defaults(endpoint, values)
    try:
        url = adapter.build(endpoint, values, method=method, url_scheme=scheme, force_external=external)
    except BuildError as error:
        values.update(_anchor=anchor, _method=method, _scheme=scheme, _external=external)
        return app.handle_url_build_error(error, endpoint, values)
    return url if anchor is None else f"{url}#{quote(anchor, safe=_ANCHOR_SAFE)}"
