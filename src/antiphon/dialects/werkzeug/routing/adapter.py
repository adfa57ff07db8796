"""A map for one request, or for one host: matches paths, and builds URLs."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, overload
from urllib.parse import urljoin, urlunsplit

from antiphon.dialects.werkzeug.datastructures import iter_multi_items
from antiphon.dialects.werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from antiphon.dialects.werkzeug.routing.builder import build_directly, values_given
from antiphon.dialects.werkzeug.routing.converters import quote_value
from antiphon.dialects.werkzeug.routing.exceptions import (
    BuildError,
    NoMatch,
    RequestAliasRedirect,
    RequestPath,
    RequestRedirect,
    WebsocketMismatch,
)
from antiphon.dialects.werkzeug.url_fields import encode_fields

if TYPE_CHECKING:
    from antiphon.dialects.werkzeug.routing.map import Map
    from antiphon.dialects.werkzeug.routing.rules import Rule

_NONE: Mapping[str, Any] = {}
_place = re.compile(r"<([^>]+)>")


class MapAdapter:
    """What ``Map.bind`` and ``Map.bind_to_environ`` give. Its attributes are what it was bound with."""

    def __init__(
        self,
        map: "Map",  # noqa: A002 - its name in Werkzeug
        server_name: str,
        script_name: str,
        subdomain: str | None,
        url_scheme: str,
        path_info: str,
        default_method: str,
        query_args: Mapping[str, Any] | str | None = None,
    ) -> None:
        self.map = map
        self.server_name = server_name
        self.script_name = script_name if script_name.endswith("/") else f"{script_name}/"
        self.subdomain = subdomain
        self.url_scheme = url_scheme
        self.path_info = path_info
        self.default_method = default_method
        self.query_args = query_args
        self.websocket = url_scheme in {"ws", "wss"}

    def dispatch(
        self,
        view_func: Callable[[Any, Mapping[str, Any]], Any],
        path_info: str | None = None,
        method: str | None = None,
        catch_http_exceptions: bool = False,
    ) -> Any:
        """What the function gives for the endpoint and the values; a redirect that the map asks for.

        Raises NotFound and its like, from the map or the function, unless these are caught: then they are returned.
        """
        try:
            try:
                endpoint, values = self.match(path_info, method)
            except RequestRedirect as redirect:
                return redirect
            return view_func(endpoint, values)
        except HTTPException as error:
            if catch_http_exceptions:
                return error
            raise

    @overload
    def match(
        self,
        path_info: str | None = None,
        method: str | None = None,
        return_rule: Literal[False] = False,
        query_args: Mapping[str, Any] | str | None = None,
        websocket: bool | None = None,
    ) -> tuple[Any, dict[str, Any]]: ...
    @overload
    def match(
        self,
        path_info: str | None = None,
        method: str | None = None,
        return_rule: Literal[True] = True,
        query_args: Mapping[str, Any] | str | None = None,
        websocket: bool | None = None,
    ) -> "tuple[Rule, dict[str, Any]]": ...
    def match(
        self,
        path_info: str | None = None,
        method: str | None = None,
        return_rule: bool = False,
        query_args: Mapping[str, Any] | str | None = None,
        websocket: bool | None = None,
    ) -> "tuple[Any | Rule, dict[str, Any]]":
        """The endpoint for a path and a method, or its rule, and the values of its variables.

        What is None is as the adapter was bound. Raises NotFound, MethodNotAllowed, WebsocketMismatch, and
        RequestRedirect, whose URL has the ``query_args``.
        """
        map_ = self.map
        map_.update()
        method = (method or self.default_method).upper()
        domain = self.server_name if map_.host_matching or self.subdomain is None else self.subdomain
        path = self.path_info if path_info is None else path_info
        if path:
            path = f"/{path.lstrip('/')}"
        if websocket is None:
            websocket = self.websocket
        try:
            rule, values = map_.matcher.match(domain, path, method, websocket)
        except (NoMatch, RequestPath, RequestAliasRedirect) as why:
            raise self._instead(why, f"{domain}|{path}", method, query_args) from None
        if rule.redirect_to is not None or map_.leading:
            self._redirect(rule, method, values, query_args)
        return (rule if return_rule else rule.endpoint), values

    def _instead(
        self,
        why: NoMatch | RequestPath | RequestAliasRedirect,
        where: str,
        method: str,
        query_args: Mapping[str, Any] | str | None,
    ) -> HTTPException:
        """What is raised when no rule gives its own answer."""
        if isinstance(why, NoMatch):
            if why.have_match_for:
                return MethodNotAllowed(valid_methods=list(why.have_match_for))
            return WebsocketMismatch() if why.websocket_mismatch else NotFound()
        query = self._query(query_args)
        if isinstance(why, RequestPath):
            return RequestRedirect(self.make_redirect_url(quote_value(why.path_info), query))
        url = self.make_alias_redirect_url(where, why.endpoint, why.matched_values, method, query)
        return RequestRedirect(url)

    def _query(self, query_args: Mapping[str, Any] | str | None) -> Mapping[str, Any] | str:
        return (self.query_args or {}) if query_args is None else query_args

    def _redirect(
        self, rule: "Rule", method: str, values: dict[str, Any], query_args: Mapping[str, Any] | str | None
    ) -> None:
        """Raise RequestRedirect where the rule, or another one with its values as defaults, asks for that."""
        if self.map.redirect_defaults:
            url = self.get_default_redirect(rule, method, values, self._query(query_args))
            if url is not None:
                raise RequestRedirect(url)
        if rule.redirect_to is not None:
            raise RequestRedirect(self._redirect_target(rule, values))

    def _redirect_target(self, rule: "Rule", values: Mapping[str, Any]) -> str:
        if isinstance(rule.redirect_to, str):
            target = _place.sub(lambda found: rule.convert(found[1], values[found[1]]), rule.redirect_to)
        else:
            assert rule.redirect_to is not None  # noqa: S101 - for type checkers
            target = rule.redirect_to(self, **values)
        host = f"{self.subdomain}.{self.server_name}" if self.subdomain else self.server_name
        return urljoin(f"{self.url_scheme or 'http'}://{host}{self.script_name}", target)

    def test(self, path_info: str | None = None, method: str | None = None) -> bool:
        """Whether a rule matches, or a redirect leads to one."""
        try:
            self.match(path_info, method)
        except RequestRedirect:
            return True
        except HTTPException:
            return False
        return True

    def allowed_methods(self, path_info: str | None = None) -> Iterable[str]:
        """The methods for which a path is found; none where rules take every method, and where nothing is found."""
        try:
            self.match(path_info, method="--")
        except MethodNotAllowed as error:
            return error.valid_methods or []
        except HTTPException:
            return []
        return []

    def get_host(self, domain_part: str | None) -> str:
        """The host for a subdomain, or for a host where these are matched. None stands for that of the adapter."""
        if self.map.host_matching:
            return self.server_name if domain_part is None else domain_part
        subdomain = self.subdomain if domain_part is None else domain_part
        return f"{subdomain}.{self.server_name}" if subdomain else self.server_name

    def get_default_redirect(
        self, rule: "Rule", method: str, values: dict[str, Any], query_args: Mapping[str, Any] | str
    ) -> str | None:
        """The URL of the rule that has these values as its defaults, if there is another one that has."""
        for other in self.map.leading.get(id(rule), ()):
            if other.suitable_for(values, method):
                values.update(other.defaults or {})
                built = other.build(values)
                if built is not None:
                    return self.make_redirect_url(built[1], query_args, domain_part=built[0])
        return None

    def encode_query_args(self, query_args: Mapping[str, Any] | str) -> str:
        """A query, without its question mark."""
        return query_args if isinstance(query_args, str) else encode_fields(iter_multi_items(query_args))

    def make_redirect_url(
        self, path_info: str, query_args: Mapping[str, Any] | str | None = None, domain_part: str | None = None
    ) -> str:
        """The absolute URL for a path, which is percent-encoded."""
        if query_args is None:
            query_args = self.query_args
        query = self.encode_query_args(query_args) if query_args else ""
        path = f"{self.script_name.strip('/')}/{path_info.lstrip('/')}"
        return urlunsplit((self.url_scheme or "http", self.get_host(domain_part), path, query, ""))

    def make_alias_redirect_url(
        self, path: str, endpoint: Any, values: Mapping[str, Any], method: str, query_args: Mapping[str, Any] | str
    ) -> str:
        """The absolute URL of the rule of which another is an alias. Raises AssertionError where that is the same."""
        url = self.build(endpoint, values, method, append_unknown=False, force_external=True)
        if query_args:
            url += f"?{self.encode_query_args(query_args)}"
        if url == path:
            raise AssertionError("detected invalid alias setting. No canonical URL found")
        return url

    def build(
        self,
        endpoint: Any,
        values: Mapping[str, Any] | None = None,
        method: str | None = None,
        force_external: bool = False,
        append_unknown: bool = True,
        url_scheme: str | None = None,
    ) -> str:
        """The URL of an endpoint with these values; what the rule has no place for becomes the query.

        It is a path; an absolute URL where that is asked for, on another host, and for a WebSocket. Raises BuildError.
        """
        map_ = self.map
        map_.update()
        is_plain = not values or (type(values) is dict and None not in values.values())
        only = map_.only.get(endpoint)
        if only is not None and is_plain and method is None and not force_external and only.domain == self.subdomain:
            path = only.fill(values or _NONE, append_unknown)
            if path is not None:
                return self._below_root(path)
        given = (values or _NONE) if is_plain else values_given(values or _NONE)
        methods = (self.default_method, None) if method is None else (method,)
        if is_plain and endpoint in map_.direct:
            built = build_directly(map_.direct[endpoint], given, methods, append_unknown)
        else:
            built = self._build(endpoint, given, methods, append_unknown)
        if built is None:
            raise BuildError(endpoint, given, method, self)
        domain, path, websocket = built
        scheme = self.url_scheme if url_scheme is None else url_scheme
        is_secure = scheme in {"https", "wss"}
        if websocket:
            scheme = "wss" if is_secure else "ws"
        elif not force_external and self._is_here(domain):
            return self._below_root(path)
        elif scheme:
            scheme = "https" if is_secure else "http"
        before = f"{scheme}:" if scheme else ""
        return f"{before}//{self.get_host(domain)}{self.script_name[:-1]}/{path.lstrip('/')}"

    def _below_root(self, path: str) -> str:
        if self.script_name == "/" and path[1:2] != "/":
            return path
        return f"{self.script_name.rstrip('/')}/{path.lstrip('/')}"

    def _is_here(self, domain: str) -> bool:
        return domain == (self.server_name if self.map.host_matching else self.subdomain)

    def _build(
        self, endpoint: Any, values: Mapping[str, Any], methods: tuple[str | None, ...], append_unknown: bool
    ) -> tuple[str, str, bool] | None:
        """Domain and path of the first rule that can be built, and whether it is for a WebSocket.

        Where hosts are matched, one on the present host goes before.
        """
        rules = self.map.rules_of(endpoint)
        for method in methods:
            elsewhere = None
            for rule in rules:
                if not rule.suitable_for(values, method) or (built := rule.build(values, append_unknown)) is None:
                    continue
                if not self.map.host_matching or built[0] == self.server_name:
                    return (*built, rule.websocket)
                elsewhere = elsewhere or (*built, rule.websocket)
            if elsewhere is not None:
                return elsewhere
        return None
