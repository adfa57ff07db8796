"""Maps bound to a request or a host, which match paths and build URLs."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, overload
from urllib.parse import urljoin

from antiphon.dialects.werkzeug.datastructures.structures import iter_multi_items
from antiphon.dialects.werkzeug.exceptions.base import HTTPException
from antiphon.dialects.werkzeug.exceptions.statuses import MethodNotAllowed, NotFound
from antiphon.dialects.werkzeug.routing.converters import quote_value
from antiphon.dialects.werkzeug.routing.exceptions import (
    BuildError,
    NoMatch,
    RequestAliasRedirect,
    RequestPath,
    RequestRedirect,
    WebsocketMismatch,
)
from antiphon.dialects.werkzeug.routing.parts import Built, build_directly, encode_fields, values_given

if TYPE_CHECKING:
    from antiphon.dialects.werkzeug.routing.map import Map
    from antiphon.dialects.werkzeug.routing.rules import Rule

_NONE: Mapping[str, Any] = {}
_place = re.compile(r"<([^>]+)>")


class MapAdapter:
    """A map bound by ``Map.bind`` or ``Map.bind_to_environ``. Its attributes are their arguments."""

    def __init__(
        self,
        map: "Map",  # noqa: A002 - Werkzeug's name
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
        """Call a function with the matching endpoint and values and return its result, or return the map's redirect.

        Raises NotFound and any other HTTP exception that the map or the function raises. With
        ``catch_http_exceptions``, returns them instead.
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
        """Match a path and a method. Return the endpoint or the rule, and the values of its variables.

        Arguments that are None default to those that the adapter was bound with. Raises NotFound, MethodNotAllowed,
        WebsocketMismatch, or RequestRedirect, whose URL includes the ``query_args``.
        """
        map_ = self.map
        map_.update()
        method = (method or self.default_method).upper()
        domain = self.server_name if map_.host_matching or self.subdomain is None else self.subdomain
        path = self.path_info if path_info is None else path_info
        if path and (path[0] != "/" or path[1:2] == "/"):
            path = f"/{path.lstrip('/')}"
        if websocket is None:
            websocket = self.websocket
        try:
            rule, values = map_.matcher.match(domain, path, method, websocket)
        except NoMatch as why:
            raise _refused(why) from None
        except (RequestPath, RequestAliasRedirect) as why:
            raise self._sent_on(why, f"{domain}|{path}", method, self._query(query_args)) from None
        if rule.redirect_to is not None or map_.leading:
            self._redirect(rule, method, values, query_args)
        return (rule if return_rule else rule.endpoint), values

    def _sent_on(
        self, why: RequestPath | RequestAliasRedirect, where: str, method: str, query: Mapping[str, Any] | str
    ) -> RequestRedirect:
        if isinstance(why, RequestPath):
            return RequestRedirect(self.make_redirect_url(quote_value(why.path_info), query))
        return RequestRedirect(self.make_alias_redirect_url(where, why.endpoint, why.matched_values, method, query))

    def _query(self, query_args: Mapping[str, Any] | str | None) -> Mapping[str, Any] | str:
        return (self.query_args or {}) if query_args is None else query_args

    def _redirect(
        self, rule: "Rule", method: str, values: dict[str, Any], query_args: Mapping[str, Any] | str | None
    ) -> None:
        """Raise RequestRedirect if the rule is a redirect or another rule has these values as its defaults."""
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
        """Return True if a rule matches or redirects."""
        try:
            self.match(path_info, method)
        except RequestRedirect:
            return True
        except HTTPException:
            return False
        return True

    def allowed_methods(self, path_info: str | None = None) -> Iterable[str]:
        """Return the methods allowed for a path. Empty if no rule matches or a rule accepts every method."""
        try:
            self.match(path_info, method="--")
        except MethodNotAllowed as error:
            return error.valid_methods or []
        except HTTPException:
            return []
        return []

    def get_host(self, domain_part: str | None) -> str:
        """Return the full host for a subdomain or, with host matching, a host. None means the adapter's own."""
        if self.map.host_matching:
            return self.server_name if domain_part is None else domain_part
        subdomain = self.subdomain if domain_part is None else domain_part
        return f"{subdomain}.{self.server_name}" if subdomain else self.server_name

    def get_default_redirect(
        self, rule: "Rule", method: str, values: dict[str, Any], query_args: Mapping[str, Any] | str
    ) -> str | None:
        """Return the URL of another rule that has these values as its defaults, or None."""
        for other in self.map.leading.get(id(rule), ()):
            if other.suitable_for(values, method):
                values.update(other.defaults or {})
                built = other.build(values)
                if built is not None:
                    return self.make_redirect_url(built[1], query_args, domain_part=built[0])
        return None

    def encode_query_args(self, query_args: Mapping[str, Any] | str) -> str:
        """Return the query string without a question mark."""
        return query_args if isinstance(query_args, str) else encode_fields(iter_multi_items(query_args))

    def make_redirect_url(
        self, path_info: str, query_args: Mapping[str, Any] | str | None = None, domain_part: str | None = None
    ) -> str:
        """Return the absolute URL for a percent-encoded path."""
        if query_args is None:
            query_args = self.query_args
        query = self.encode_query_args(query_args) if query_args else ""
        root = f"{self.url_scheme or 'http'}://{self.get_host(domain_part)}/{self.script_name.strip('/')}"
        url = f"{root.removesuffix('/')}/{path_info.lstrip('/')}"
        return f"{url}?{query}" if query else url

    def make_alias_redirect_url(
        self, path: str, endpoint: Any, values: Mapping[str, Any], method: str, query_args: Mapping[str, Any] | str
    ) -> str:
        """Return the absolute URL of the rule that an alias stands for.

        Raises AssertionError if that is the alias itself.
        """
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
        """Return the URL of an endpoint with these values.

        Values that the rule does not use form the query. The URL is a path unless it is for another host or a
        WebSocket, or ``force_external`` is True; in these cases, it is absolute. Raises BuildError if no rule matches.
        """
        map_ = self.map
        map_.update()
        if not values:
            values = _NONE
        elif type(values) is not dict or None in values.values():
            values = values_given(values)
        built = self._build(endpoint, values, method, append_unknown)
        if built is None:
            raise BuildError(endpoint, dict(values), method, self)  # a copy, since suggestions depend on these values
        domain, path, websocket = built
        if force_external or websocket or domain != (self.server_name if map_.host_matching else self.subdomain):
            return self._absolute(domain, path, self.url_scheme if url_scheme is None else url_scheme, websocket)
        if self.script_name == "/" and path[1:2] != "/":
            return path
        return f"{self.script_name.rstrip('/')}/{path.lstrip('/')}"

    def _absolute(self, domain: str, path: str, scheme: str, websocket: bool) -> str:
        is_secure = scheme in {"https", "wss"}
        if websocket:
            scheme = "wss" if is_secure else "ws"
        elif scheme:
            scheme = "https" if is_secure else "http"
        before = f"{scheme}:" if scheme else ""
        return f"{before}//{self.get_host(domain)}{self.script_name[:-1]}/{path.lstrip('/')}"

    def _build(
        self, endpoint: Any, values: Mapping[str, Any], method: str | None, append_unknown: bool
    ) -> Built | None:
        ways = self.map.direct.get(endpoint)
        if ways is not None and len(ways) == 1 and method is None:
            return ways[0].build(values, append_unknown)
        methods = (self.default_method, None) if method is None else (method,)
        if ways is not None:
            return build_directly(ways, values, methods, append_unknown)
        return self._build_by_rules(endpoint, values, methods, append_unknown)

    def _build_by_rules(
        self, endpoint: Any, values: Mapping[str, Any], methods: Iterable[str | None], append_unknown: bool
    ) -> Built | None:
        """Build the URL from the first suitable rule. With host matching, rules for the current host come first."""
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


def _refused(why: NoMatch) -> HTTPException:
    """Return the exception for a path that no rule matches."""
    if why.have_match_for:
        return MethodNotAllowed(valid_methods=list(why.have_match_for))
    return WebsocketMismatch() if why.websocket_mismatch else NotFound()
