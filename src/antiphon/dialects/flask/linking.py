"""The URLs of an application: rules bound to requests, and URLs of endpoints."""

from typing import TYPE_CHECKING, Any

from antiphon.dialects.flask.globals import _cv_app
from antiphon.dialects.flask.sansio.app import App
from antiphon.dialects.werkzeug.routing.exceptions import BuildError

if TYPE_CHECKING:
    from antiphon.dialects.flask.wrappers import Request
    from antiphon.dialects.werkzeug.routing.adapter import MapAdapter


class Linking(App):
    """An application that binds its rules to requests, and builds URLs by them."""

    def create_url_adapter(self, request: "Request | None") -> "MapAdapter | None":
        """Return the rules bound to a request, or to SERVER_NAME; None without these.

        Raises SecurityError for a host that is not among TRUSTED_HOSTS.
        """
        config = self.config
        server_name = config["SERVER_NAME"]
        if request is None:
            if server_name is None:
                return None
            return self.url_map.bind(
                server_name, script_name=config["APPLICATION_ROOT"], url_scheme=config["PREFERRED_URL_SCHEME"]
            )
        if (trusted := config["TRUSTED_HOSTS"]) is not None:
            request.trusted_hosts = trusted
        if request.trusted_hosts is not None:
            request.host  # noqa: B018 - it is checked on first use
        if self.url_map.host_matching:
            return self.url_map.bind_to_environ(request.environ)
        subdomain = None if self.subdomain_matching else self.url_map.default_subdomain or ""
        return self.url_map.bind_to_environ(request.environ, server_name=server_name, subdomain=subdomain)

    def url_for(
        self,
        /,
        endpoint: str,
        *,
        _anchor: str | None = None,
        _method: str | None = None,
        _scheme: str | None = None,
        _external: bool | None = None,
        **values: Any,
    ) -> str:
        """Return the URL of an endpoint: a path in a request, unless it is ``_external`` or has a ``_scheme``.

        An endpoint that begins with a dot is one of the current blueprint. Raises BuildError for an unknown endpoint,
        RuntimeError outside of a request without SERVER_NAME, ValueError for a ``_scheme`` of a path.
        """
        ctx = _cv_app.get()
        holder = None if ctx is None else ctx.holder
        if holder is not None:
            adapter = holder.url_adapter
            if endpoint[:1] == ".":
                endpoint = f"{holder.request.blueprint or ''}{endpoint}".lstrip(".")
            external = _scheme is not None if _external is None else _external
        else:
            adapter = self.create_url_adapter(None) if ctx is None else ctx.url_adapter
            external = True if _external is None else _external
        if adapter is None:
            raise RuntimeError(
                "Outside of a request nothing says of which server a URL is: set 'SERVER_NAME', and 'APPLICATION_ROOT'"
                " and 'PREFERRED_URL_SCHEME' if they are others than / and http."
            )
        if _scheme is not None and not external:
            raise ValueError("a path has no scheme: leave '_external' out, or make it True, to give '_scheme'")
        self.inject_url_defaults(endpoint, values)
        try:
            url = adapter.build(endpoint, values, method=_method, url_scheme=_scheme, force_external=external)
        except BuildError as error:
            values.update(_anchor=_anchor, _method=_method, _scheme=_scheme, _external=external)
            return self.handle_url_build_error(error, endpoint, values)
        return url if _anchor is None else _with_anchor(url, _anchor)


def _with_anchor(url: str, anchor: str) -> str:
    from urllib.parse import quote

    return f"{url}#{quote(anchor, safe=_ANCHOR_SAFE)}"


_ANCHOR_SAFE = "%!#$&'()*+,/:;=?@"
