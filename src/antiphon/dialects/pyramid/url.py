"""URLs of routes, resources and static files."""

import os
from typing import Any

from antiphon.dialects.pyramid.encode import url_quote, urlencode
from antiphon.dialects.pyramid.interfaces import IResourceURL, IRoutesMapper, IStaticURLInfo
from antiphon.dialects.pyramid.path import caller_package
from antiphon.dialects.pyramid.threadlocal import get_current_registry
from antiphon.dialects.pyramid.traversal import PATH_SAFE, PATH_SEGMENT_SAFE, ResourceURL, quote_path_segment

QUERY_SAFE = "/?:@!$&'()*+,;="
ANCHOR_SAFE = QUERY_SAFE
_PORTS = {"http": "80", "https": "443"}


def parse_url_overrides(request: Any, kw: dict[str, Any]) -> tuple[str, str, str]:
    """Remove ``_app_url`` or ``_scheme``, ``_host`` and ``_port``, ``_query`` and ``_anchor`` from keywords.

    Returns the application's URL, the query with its "?", and the fragment with its "#".
    """
    app_url = kw.pop("_app_url", None)
    scheme, host, port = kw.pop("_scheme", None), kw.pop("_host", None), kw.pop("_port", None)
    query, anchor = kw.pop("_query", ""), kw.pop("_anchor", "")
    if app_url is None:
        if scheme is None and host is None and port is None:
            app_url = request.application_url
        else:
            app_url = request._partial_application_url(scheme, host, port)  # noqa: SLF001 - same package
    if query:
        query = f"?{url_quote(query, QUERY_SAFE) if isinstance(query, str) else urlencode(query)}"
    return app_url, query or "", f"#{url_quote(anchor, ANCHOR_SAFE)}" if anchor else ""


def _registry_of(request: Any) -> Any:
    try:
        return request.registry
    except AttributeError:
        return get_current_registry()


class URLMethodsMixin:
    """A mixin that adds the URLs of routes, resources and files to requests."""

    def _partial_application_url(self, scheme: Any = None, host: Any = None, port: Any = None) -> str:
        """Return the application's URL with a different scheme, host or port."""
        this: Any = self
        environ = this.environ
        if scheme is None:
            scheme = environ["wsgi.url_scheme"]
        elif port is None:
            port = _PORTS.get(scheme)
        if host is None:
            host = environ.get("HTTP_HOST")
        if host is None:
            host = environ["SERVER_NAME"]
        name, colon, own_port = host.partition(":")
        if port is None:
            port = own_port if colon else environ["SERVER_PORT"]
        port = "" if str(port) == _PORTS.get(scheme) else f":{port}"
        script_name = this.script_name.encode(getattr(this, "url_encoding", "utf-8"))
        return f"{scheme}://{name}{port}{url_quote(script_name, PATH_SAFE)}"

    def route_url(self, route_name: str, *elements: Any, **kw: Any) -> str:
        """Return a route's URL, with further elements appended to its path.

        Keywords are the pattern's values, `_query`, `_anchor`, `_scheme`, `_host`, `_port` and `_app_url`.
        Raises KeyError for an unknown route or a missing value.
        """
        route = _registry_of(self).getUtility(IRoutesMapper).get_route(route_name)
        if route is None:
            raise KeyError(f"No such route named {route_name}")
        if route.pregenerator is not None:
            elements, kw = route.pregenerator(self, elements, kw)
        app_url, query, anchor = parse_url_overrides(self, kw)
        path = route.generate(kw)
        suffix = _join_elements(elements) if elements else ""
        if elements and path[-1:] != "/":
            suffix = f"/{suffix}"
        return f"{app_url}{path}{suffix}{query}{anchor}"

    def route_path(self, route_name: str, *elements: Any, **kw: Any) -> str:
        """Return a route's path, which is its ``route_url`` without scheme and host."""
        kw["_app_url"] = self.script_name  # type: ignore[attr-defined]  # the request has it
        return self.route_url(route_name, *elements, **kw)

    def resource_url(self, resource: Any, *elements: Any, **kw: Any) -> str:
        """Return a resource's URL, with further elements appended to its path.

        Keywords are `query`, `anchor`, `scheme`, `host`, `port` and `app_url`. With `route_name`, the resource's path
        is appended to that route as the value `route_remainder_name`; `route_kw` contains the route's other values.
        """
        adapter = _registry_of(self).queryMultiAdapter((resource, self), IResourceURL)
        if adapter is None:
            adapter = ResourceURL(resource, self)
        names = ("app_url", "scheme", "host", "port", "query", "anchor")
        overrides = {f"_{name}": kw[name] for name in names if kw.get(name) is not None}
        if "route_name" in kw:
            return self._resource_url_below_route(adapter, elements, kw, overrides)
        app_url, query, anchor = parse_url_overrides(self, overrides)
        url = None
        own = getattr(resource, "__resource_url__", None)
        if own is not None:
            info = {"virtual_path": adapter.virtual_path, "physical_path": adapter.physical_path, "app_url": app_url}
            url = own(self, info)
        if url is None:
            url = app_url + adapter.virtual_path
        return f"{url}{_join_elements(elements) if elements else ''}{query}{anchor}"

    def _resource_url_below_route(
        self, adapter: Any, elements: Any, kw: dict[str, Any], overrides: dict[str, Any]
    ) -> str:
        names = getattr(adapter, "virtual_path_tuple", None)
        remainder = tuple(adapter.virtual_path.split("/")) if names is None else names
        values = {kw.get("route_remainder_name", "traverse"): remainder, **(kw.get("route_kw") or {})}
        return self.route_url(kw["route_name"], *elements, **overrides | values)

    model_url = resource_url

    def resource_path(self, resource: Any, *elements: Any, **kw: Any) -> str:
        """Return a resource's path, which is its ``resource_url`` without scheme and host."""
        kw["app_url"] = self.script_name  # type: ignore[attr-defined]  # the request has it
        return self.resource_url(resource, *elements, **kw)

    def static_url(self, path: str, **kw: Any) -> str:
        """Return the URL of a static file, which is given as `package:path` or as a path relative to the caller's
        package.

        Raises ValueError if no static view serves the file.
        """
        return self._static_url(path, caller_package, kw)

    def _static_url(self, path: str, package: Any, kw: dict[str, Any]) -> str:
        if not os.path.isabs(path) and ":" not in path:
            path = f"{package(level=3).__name__}:{path}"
        info = _registry_of(self).queryUtility(IStaticURLInfo)
        if info is None:
            raise ValueError(f"No static URL definition matching {path}")
        return info.generate(path, self, **kw)  # type: ignore[no-any-return]  # always text

    def static_path(self, path: str, **kw: Any) -> str:
        """Return a static file's path, which is its ``static_url`` without scheme and host."""
        kw["_app_url"] = self.script_name  # type: ignore[attr-defined]  # the request has it
        return self._static_url(path, caller_package, kw)

    def current_route_url(self, *elements: Any, **kw: Any) -> str:
        """Return the URL of the current route, or of ``_route_name``, with some values replaced.

        Raises ValueError if the request has no route.
        """
        this: Any = self
        route_name = kw.pop("_route_name", None) or getattr(getattr(this, "matched_route", None), "name", None)
        if route_name is None:
            raise ValueError("Current request matches no route")
        if "_query" not in kw:
            kw["_query"] = this.GET
        return self.route_url(route_name, *elements, **{**this.matchdict, **kw})

    def current_route_path(self, *elements: Any, **kw: Any) -> str:
        """Return the current route's path, which is its ``current_route_url`` without scheme and host."""
        kw["_app_url"] = self.script_name  # type: ignore[attr-defined]  # the request has it
        return self.current_route_url(*elements, **kw)


def route_url(route_name: str, request: Any, *elements: Any, **kw: Any) -> str:
    return request.route_url(route_name, *elements, **kw)  # type: ignore[no-any-return]


def route_path(route_name: str, request: Any, *elements: Any, **kw: Any) -> str:
    return request.route_path(route_name, *elements, **kw)  # type: ignore[no-any-return]


def resource_url(resource: Any, request: Any, *elements: Any, **kw: Any) -> str:
    return request.resource_url(resource, *elements, **kw)  # type: ignore[no-any-return]


model_url = resource_url


def static_url(path: str, request: Any, **kw: Any) -> str:
    """Return ``request.static_url`` for a path relative to the caller's package."""
    if not os.path.isabs(path) and ":" not in path:
        path = f"{caller_package().__name__}:{path}"
    return request.static_url(path, **kw)  # type: ignore[no-any-return]


def static_path(path: str, request: Any, **kw: Any) -> str:
    """Return ``request.static_path`` for a path relative to the caller's package."""
    if not os.path.isabs(path) and ":" not in path:
        path = f"{caller_package().__name__}:{path}"
    return request.static_path(path, **kw)  # type: ignore[no-any-return]


def current_route_url(request: Any, *elements: Any, **kw: Any) -> str:
    return request.current_route_url(*elements, **kw)  # type: ignore[no-any-return]


def current_route_path(request: Any, *elements: Any, **kw: Any) -> str:
    return request.current_route_path(*elements, **kw)  # type: ignore[no-any-return]


def _join_elements(elements: tuple[Any, ...]) -> str:
    return "/".join([quote_path_segment(each, safe=PATH_SEGMENT_SAFE) for each in elements])
