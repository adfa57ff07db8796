"""Directives for routes."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from antiphon.dialects.pyramid import predicates as built_in
from antiphon.dialects.pyramid.config.actions import action_method
from antiphon.dialects.pyramid.config.predicates import normalize_accept_offer, sort_accept_offers
from antiphon.dialects.pyramid.exceptions import ConfigurationError
from antiphon.dialects.pyramid.interfaces import PHASE2_CONFIG, IAcceptOrder, IRequest, IRouteRequest, IRoutesMapper
from antiphon.dialects.pyramid.registry import predvalseq
from antiphon.dialects.pyramid.request import route_request_iface
from antiphon.dialects.pyramid.urldispatch import RoutesMapper
from antiphon.dialects.pyramid.util import as_sorted_tuple, is_nonstr_iter

_DEFAULTS = (
    ("xhr", built_in.XHRPredicate),
    ("request_method", built_in.RequestMethodPredicate),
    ("path_info", built_in.PathInfoPredicate),
    ("request_param", built_in.RequestParamPredicate),
    ("header", built_in.HeaderPredicate),
    ("accept", built_in.AcceptPredicate),
    ("is_authenticated", built_in.IsAuthenticatedPredicate),
    ("effective_principals", built_in.EffectivePrincipalsPredicate),
    ("custom", built_in.CustomPredicate),
    ("traverse", built_in.TraversePredicate),
)


class RoutesConfiguratorMixin:
    route_prefix: str | None

    @action_method
    def add_route(
        self,
        name: str,
        pattern: str | None = None,
        factory: Any = None,
        for_: Any = None,  # noqa: ARG002 - passed by older programs
        header: Any = None,
        xhr: Any = None,
        accept: Any = None,
        path_info: Any = None,
        request_method: Any = None,
        request_param: Any = None,
        traverse: Any = None,
        custom_predicates: Any = (),
        use_global_views: bool = False,
        path: str | None = None,
        pregenerator: Any = None,
        static: bool = False,
        inherit_slash: bool | None = None,
        **predicates: Any,
    ) -> None:
        """Add a route after all others.

        ``pattern`` is a path with placeholders: `{name}`, `{name:regular expression}` or, at the end, `*name` for the
        rest. ``factory`` returns the root for the route's requests, and ``traverse`` is a pattern for the path below
        that root. ``pregenerator`` changes the values for URLs. A ``static`` route only generates URLs, possibly on
        another host. With ``use_global_views``, views without a route are also used. ``inherit_slash`` applies to an
        empty pattern below a prefix. All other keywords are predicates. Raises ConfigurationError without a pattern.
        """
        config: Any = self
        if custom_predicates:
            _warn("add_route", "route")
        if "effective_principals" in predicates:
            _warn_of_principals()
        if accept is not None:
            accept = [normalize_accept_offer(each) for each in (accept if is_nonstr_iter(accept) else [accept])]
        factory = config.maybe_dotted(factory)
        pattern = path if pattern is None else pattern
        if pattern is None:
            raise ConfigurationError('"pattern" argument may not be None')
        if request_method is not None:
            request_method = as_sorted_tuple(request_method)
        if inherit_slash and pattern != "":
            raise ConfigurationError('"inherit_slash" may only be used with an empty pattern')
        external = _external(pattern)
        if external is not None:
            external_url, pattern, static = external
            pregenerator = _for_other_host(name, external_url, pregenerator)
        elif self.route_prefix:
            pattern = _prefixed(self.route_prefix, pattern, inherit_slash)
        values = {
            **predicates,
            "header": header, "xhr": xhr, "path_info": path_info, "request_method": request_method,
            "request_param": request_param, "traverse": traverse, "custom": predvalseq(custom_predicates),
        }  # fmt: skip
        intr = config.introspectable("routes", name, f"{name} (pattern: {pattern!r})", "route")
        intr.update(
            name=name, pattern=pattern, factory=factory, xhr=xhr, request_methods=request_method, path_info=path_info,
            request_param=request_param, header=header, accept=accept, traverse=traverse,
            custom_predicates=custom_predicates, pregenerator=pregenerator, static=static,
            use_global_views=use_global_views,
        )  # fmt: skip
        if static:
            intr["external_url"] = None if external is None else external[0]
        introspectables = [intr]
        if factory is not None:
            made = config.introspectable("root factories", name, config.object_description(factory), "root factory")
            made.update(factory=factory, route_name=name)
            made.relate("routes", name)
            introspectables.append(made)

        def register_interface() -> None:
            _register_interface(config.registry, name, use_global_views)

        def connect() -> None:
            offers = accept
            if offers is not None:
                order = config.registry.queryUtility(IAcceptOrder)
                offers = sort_accept_offers(offers, [each for _, each in order.sorted()] if order else None)
            _, made, _ = config.get_predlist("route").make(config, **values, accept=offers)
            route = config.get_routes_mapper().connect(
                name, pattern, factory, predicates=made, pregenerator=pregenerator, static=static
            )
            intr["object"] = route

        config.action(("route-connect", name), connect)
        config.action(("route", name), register_interface, order=PHASE2_CONFIG, introspectables=introspectables)

    @action_method
    def add_route_predicate(
        self, name: str, factory: Any, weighs_more_than: Any = None, weighs_less_than: Any = None
    ) -> None:
        """Add a route predicate: a class called with a value and information about the application."""
        config: Any = self
        config._add_predicate(  # noqa: SLF001 - same class
            "route", name, factory, weighs_more_than=weighs_more_than, weighs_less_than=weighs_less_than
        )

    def add_default_route_predicates(self) -> None:
        for name, factory in _DEFAULTS:
            self.add_route_predicate(name, factory)

    def get_routes_mapper(self) -> Any:
        registry: Any = self.registry  # type: ignore[attr-defined]  # the configurator defines it
        mapper = registry.queryUtility(IRoutesMapper)
        if mapper is None:
            mapper = RoutesMapper()
            registry.registerUtility(mapper, IRoutesMapper)
        return mapper

    @contextmanager
    def route_prefix_context(self, route_prefix: str | None) -> Iterator[None]:
        """Add a prefix, below the configurator's own, to all routes that are added in the `with` block."""
        original = self.route_prefix
        self.route_prefix = joined_prefix(original, route_prefix)
        begin: Any = self.begin  # type: ignore[attr-defined]  # the configurator defines it
        begin()
        try:
            yield
        finally:
            self.end()  # type: ignore[attr-defined]
            self.route_prefix = original


def joined_prefix(outer: str | None, inner: str | None) -> str | None:
    """Join two prefixes, or return None if both are missing."""
    return f"{(outer or '').rstrip('/')}/{(inner or '').strip('/')}".strip("/") or None


def _prefixed(prefix: str, pattern: str, inherit_slash: bool | None) -> str:
    if pattern == "" and inherit_slash:
        return prefix
    return f"{prefix.rstrip('/')}/{pattern.lstrip('/')}"


def _register_interface(registry: Any, name: str, use_global_views: bool) -> None:
    if registry.queryUtility(IRouteRequest, name=name) is None:
        bases = (IRequest,) if use_global_views else ()
        registry.registerUtility(route_request_iface(name, bases), IRouteRequest, name=name)


def _external(pattern: str) -> tuple[str, str, bool] | None:
    """Split a pattern that is a full URL into its origin and its path. Return None for any other pattern."""
    from urllib.parse import urlparse

    parsed = urlparse(pattern)
    if not parsed.hostname:
        return None
    external_url = f"{parsed.scheme}://{parsed.netloc}" if parsed.scheme else f"//{parsed.netloc}"
    return external_url, pattern[pattern.index(parsed.netloc) + len(parsed.netloc) :], True


def _for_other_host(name: str, external_url: str, given: Any) -> Any:
    """Return a pregenerator for URLs on another host."""

    def pregenerator(request: Any, elements: Any, kw: dict[str, Any]) -> Any:
        if "_app_url" in kw:
            raise ValueError(
                "You cannot generate a path to an external route pattern via request.route_path nor pass an _app_url to"
                f" request.route_url when generating a URL for an external route pattern: the route is {name!r}"
            )
        if "_scheme" in kw:
            kw["_app_url"] = f"{kw['_scheme']}://{external_url.rpartition('//')[2]}"
        elif external_url.startswith("//"):
            kw["_app_url"] = f"{request.scheme}:{external_url}"
        else:
            kw["_app_url"] = external_url
        return (elements, kw) if given is None else given(request, elements, kw)

    return pregenerator


def _warn(directive: str, kind: str) -> None:
    warnings.warn(
        f'The "custom_predicates" argument to Configurator.{directive} is deprecated: use'
        f" config.add_{kind}_predicate, and its name as an argument",
        DeprecationWarning,
        stacklevel=5,
    )


def _warn_of_principals() -> None:
    warnings.warn("The new security policy has deprecated effective_principals.", DeprecationWarning, stacklevel=5)
