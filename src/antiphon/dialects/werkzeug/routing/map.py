"""The map, which contains an application's rules."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from pprint import pformat
from threading import Lock
from typing import TYPE_CHECKING, Any
from warnings import warn

from antiphon.dialects._environ.heads import LONGEST_CACHED, text_of, without_default_port
from antiphon.dialects.werkzeug.datastructures.dicts import ImmutableDict
from antiphon.dialects.werkzeug.exceptions.base import BadHost
from antiphon.dialects.werkzeug.routing.adapter import MapAdapter
from antiphon.dialects.werkzeug.routing.converters import DEFAULT_CONVERTERS, BaseConverter
from antiphon.dialects.werkzeug.routing.matcher import StateMachineMatcher
from antiphon.dialects.werkzeug.routing.parts import Direct
from antiphon.dialects.werkzeug.wsgi import get_host, host_of

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from antiphon.dialects.werkzeug.routing.rules import Rule, RuleFactory
    from antiphon.dialects.werkzeug.wrappers.request import Request

__all__ = ["Map", "MapAdapter"]

_plain_host = re.compile(r"(?:[!-\-/-~]{1,63}\.)*[!-\-/-~]{0,63}").fullmatch


class Map:
    """A collection of rules and the defaults of their settings.

    ``default_subdomain`` applies to rules without a subdomain. With ``host_matching``, rules specify full hosts
    instead. ``redirect_defaults`` redirects requests to the rule that has their values as its defaults. ``converters``
    are added to the default ones. With ``sort_parameters``, the queries of built URLs are sorted by ``sort_key``.
    """

    default_converters: Mapping[str, type[BaseConverter]] = ImmutableDict(DEFAULT_CONVERTERS)
    lock_class: Callable[[], Any] = Lock

    def __init__(
        self,
        rules: "Iterable[RuleFactory] | None" = None,
        default_subdomain: str = "",
        strict_slashes: bool = True,
        merge_slashes: bool = True,
        redirect_defaults: bool = True,
        converters: Mapping[str, type[BaseConverter]] | None = None,
        sort_parameters: bool = False,
        sort_key: Callable[[Any], Any] | None = None,
        host_matching: bool = False,
        *,
        charset: str = "utf-8",
        encoding_errors: str = "replace",
    ) -> None:
        if (charset.lower(), encoding_errors) != ("utf-8", "replace"):
            raise NotImplementedError("charset must be utf-8 and encoding_errors must be replace, as in Werkzeug 3")
        self.matcher = StateMachineMatcher(merge_slashes)
        self.default_subdomain = default_subdomain
        self.strict_slashes = strict_slashes
        self.redirect_defaults = redirect_defaults
        self.host_matching = host_matching
        self.converters = {**self.default_converters, **(converters or {})}
        self.sort_parameters = sort_parameters
        self.sort_key = sort_key
        self.leading: dict[int, list[Rule]] = {}
        self._rules_by_endpoint: dict[Any, list[Rule]] = {}
        self.direct: dict[Any, list[Direct]] = {}
        self._has_changed = True
        self._updating = self.lock_class()
        for factory in rules or ():
            self.add(factory)

    @property
    def merge_slashes(self) -> bool:
        """True if repeated slashes match like a single one."""
        return self.matcher.merge_slashes

    @merge_slashes.setter
    def merge_slashes(self, value: bool) -> None:
        self.matcher.merge_slashes = value

    @property
    def _rules(self) -> "list[Rule]":
        return [rule for rules in self._rules_by_endpoint.values() for rule in rules]

    def rules_of(self, endpoint: Any) -> "Iterable[Rule]":
        """Return an endpoint's rules in the order in which building a URL tries them."""
        return self._rules_by_endpoint.get(endpoint, ())

    def is_endpoint_expecting(self, endpoint: Any, *arguments: str) -> bool:
        """Return True if one of the endpoint's rules has all these arguments.

        Raises KeyError for an unknown endpoint.
        """
        self.update()
        return any(rule.arguments.issuperset(arguments) for rule in self._rules_by_endpoint[endpoint])

    def iter_rules(self, endpoint: Any = None) -> "Iterator[Rule]":
        """Return an iterator over all rules, or an endpoint's rules. Raises KeyError for an unknown endpoint."""
        self.update()
        return iter(self._rules if endpoint is None else self._rules_by_endpoint[endpoint])

    def add(self, rulefactory: "RuleFactory") -> None:
        """Add and bind a rule or a factory's rules. Raises RuntimeError if a rule is already bound."""
        for rule in rulefactory.get_rules(self):
            rule.bind(self)
            if not rule.build_only:
                self.matcher.add(rule)
            self._rules_by_endpoint.setdefault(rule.endpoint, []).append(rule)
        self.changed()

    def changed(self) -> None:
        """Mark the rules to be sorted before the next match."""
        self._has_changed = True

    def update(self) -> None:
        """Sort the rules if any were added or changed."""
        if not self._has_changed:
            return
        with self._updating:
            if self._has_changed:
                self.matcher.update()
                for rules in self._rules_by_endpoint.values():
                    rules.sort(key=lambda rule: rule.build_compare_key())
                self.leading = self._find_leading()
                self.direct = self._find_direct()
                self._has_changed = False

    def _find_direct(self) -> dict[Any, list[Direct]]:
        """Return the direct builders of each endpoint whose rules all have one."""
        found = {}
        for endpoint, rules in self._rules_by_endpoint.items():
            ways = [direct for rule in rules if (direct := rule.direct) is not None]
            if len(ways) == len(rules):
                found[endpoint] = ways
        return found

    def _find_leading(self) -> "dict[int, list[Rule]]":
        """Map each rule's id to the earlier rules that its requests may be redirected to because of their defaults."""
        leading: dict[int, list[Rule]] = {}
        for rules in self._rules_by_endpoint.values():
            with_defaults = [(place, rule) for place, rule in enumerate(rules) if rule.defaults]
            for place, rule in enumerate(rules):
                before = [each for at, each in with_defaults if at < place and each.provides_defaults_for(rule)]
                if before:
                    leading[id(rule)] = before
        return leading

    def bind(
        self,
        server_name: str,
        script_name: str | None = None,
        subdomain: str | None = None,
        url_scheme: str = "http",
        default_method: str = "GET",
        path_info: str | None = None,
        query_args: Mapping[str, Any] | str | None = None,
    ) -> MapAdapter:
        """Return an adapter for a host.

        Raises BadHost if the host is malformed, or RuntimeError if a subdomain is given with host matching.
        """
        if self.host_matching:
            if subdomain is not None:
                raise RuntimeError("host matching enabled and a subdomain was provided")
        elif subdomain is None:
            subdomain = self.default_subdomain
        return MapAdapter(
            self,
            _ascii_host(server_name.lower()),
            "/" if script_name is None else script_name,
            subdomain,
            url_scheme,
            "/" if path_info is None else path_info,
            default_method,
            query_args,
        )

    def bind_to_environ(
        self, environ: "WSGIEnvironment | Request", server_name: str | None = None, subdomain: str | None = None
    ) -> MapAdapter:
        """Return an adapter for a request or its environ.

        With a ``server_name``, the subdomain is the part of the request's host before that name. If the host does not
        end with the name, this issues a warning, and the subdomain is "<invalid>", which matches no rule.
        """
        env: WSGIEnvironment = environ if isinstance(environ, dict) else environ.environ
        host = _host_of(env)
        scheme = _scheme_of(env)
        name = host if server_name is None else without_default_port(server_name.lower(), scheme)
        if subdomain is None and not self.host_matching:
            subdomain = _subdomain(host, name)
            if subdomain is None:
                warn(f"Current server name {host!r} doesn't match configured server name {name!r}", stacklevel=2)
                subdomain = "<invalid>"
        script, path, query = env.get("SCRIPT_NAME", "/"), env.get("PATH_INFO", "/"), env.get("QUERY_STRING")
        if self.host_matching and subdomain is not None:
            raise RuntimeError("host matching enabled and a subdomain was provided")
        return MapAdapter(
            self,
            _ascii_host(name.lower()),
            script if script.isascii() else text_of(script),
            subdomain,
            scheme,
            path if path.isascii() else text_of(path),
            env["REQUEST_METHOD"],
            query if query is None or query.isascii() else text_of(query),
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({pformat(list(self.iter_rules()))})"


def _host_of(environ: "WSGIEnvironment") -> str:
    """Return an environ's host in lower case, without its scheme's default port."""
    named = environ.get("HTTP_HOST")
    if named is not None and len(named) <= LONGEST_CACHED:
        return _named_host(environ["wsgi.url_scheme"], named)
    return get_host(environ).lower()


@lru_cache(256)
def _named_host(scheme: str, header: str) -> str:
    return host_of(scheme, header).lower()


@lru_cache(256)
def _ascii_host(name: str) -> str:
    """Convert a host with its port to ASCII (RFC 3490 §4)."""
    host, colon, port = name.partition(":")
    if _plain_host(host):
        return name
    try:
        return f"{host.encode('idna').decode('ascii')}{colon}{port}"
    except UnicodeError as error:
        raise BadHost from error


def _scheme_of(environ: "WSGIEnvironment") -> str:
    scheme: str = environ["wsgi.url_scheme"]
    if "HTTP_UPGRADE" in environ and environ["HTTP_UPGRADE"].lower() == "websocket":
        options = environ.get("HTTP_CONNECTION", "").lower().split(",")
        if any(option.strip(" \t") == "upgrade" for option in options):
            return "wss" if scheme == "https" else "ws"
    return scheme


def _subdomain(host: str, name: str) -> str | None:
    """Return the part of a host before a name, or None if the host does not end with the name."""
    if host == name:
        return ""
    labels, own = host.split("."), name.split(".")
    return ".".join(filter(None, labels[: -len(own)])) if labels[-len(own) :] == own else None
