"""Directives for special views, static views, view predicates, view derivers, and the order of media types."""

from typing import Any

from antiphon.dialects.pyramid import predicates as built_in
from antiphon.dialects.pyramid import viewderivers
from antiphon.dialects.pyramid.config.actions import action_method
from antiphon.dialects.pyramid.config.deriving import isexception, viewdefaults
from antiphon.dialects.pyramid.config.predicates import normalize_accept_offer
from antiphon.dialects.pyramid.exceptions import ConfigurationError
from antiphon.dialects.pyramid.httpexceptions import HTTPForbidden, HTTPNotFound, default_exceptionresponse_view
from antiphon.dialects.pyramid.interfaces import PHASE1_CONFIG, IAcceptOrder, IStaticURLInfo, IViewDerivers
from antiphon.dialects.pyramid.security import NO_PERMISSION_REQUIRED
from antiphon.dialects.pyramid.util import TopologicalSorter, is_nonstr_iter
from antiphon.dialects.pyramid.view import AppendSlashNotFoundViewFactory
from antiphon.dialects.pyramid.viewderivers import INGRESS, VIEW

_NOT_TAKEN = ("name", "permission", "context", "for_", "exception_only", "require_csrf")


class SpecialViewsMixin:
    @viewdefaults
    @action_method
    def add_forbidden_view(self, view: Any = None, **view_options: Any) -> None:
        """Add the view for requests that lack a required permission. Accepts the keywords of ``add_view``.

        Raises ConfigurationError for a name, a permission, a context or `require_csrf`.
        """
        self._add_special_view("add_forbidden_view", HTTPForbidden, view, view_options)

    set_forbidden_view = add_forbidden_view

    @viewdefaults
    @action_method
    def add_notfound_view(self, view: Any = None, append_slash: Any = False, **view_options: Any) -> None:
        """Add the view for requests for which nothing is found. Accepts the keywords of ``add_view``.

        ``append_slash`` redirects to the path with a slash if a route matches that path. It may be a redirect class.
        Raises ConfigurationError for a name, a permission, a context or `require_csrf`.
        """
        self._add_special_view("add_notfound_view", HTTPNotFound, view, view_options, append_slash)

    set_notfound_view = add_notfound_view

    def _add_special_view(
        self, directive: str, context: Any, view: Any, options: dict[str, Any], append_slash: Any = False
    ) -> None:
        config: Any = self
        for name in _NOT_TAKEN:
            if name in options:
                raise ConfigurationError(f"{name} may not be used as an argument to {directive}")
        if append_slash:
            view = self._slash_appending(view, append_slash, options)
        if view is None and not options.get("renderer"):
            view = default_exceptionresponse_view
        config.add_view(
            view=view,
            context=context,
            exception_only=True,
            permission=NO_PERMISSION_REQUIRED,
            require_csrf=False,
            **options,
        )

    def _slash_appending(self, view: Any, append_slash: Any, options: dict[str, Any]) -> Any:
        config: Any = self
        view = config.maybe_dotted(view)
        inner = None
        if view is not None or options.get("renderer"):
            inner = config._derive_view(  # noqa: SLF001 - same class
                (lambda context, request: {}) if view is None else view,  # noqa: ARG005
                attr=options.pop("attr", None),
                renderer=options.pop("renderer", None),
            )
        redirect = {} if append_slash is True else {"redirect_class": config.maybe_dotted(append_slash)}
        return AppendSlashNotFoundViewFactory(inner, **redirect)

    @viewdefaults
    @action_method
    def add_exception_view(self, view: Any = None, context: Any = None, **view_options: Any) -> None:
        """Add a view that handles exceptions, either all or those of one class. Accepts the keywords of ``add_view``.

        Raises ConfigurationError for a name, a permission, `require_csrf`, or a context that is not an exception.
        """
        config: Any = self
        for name in ("name", "for_", "exception_only", "require_csrf", "permission"):
            if name in view_options:
                raise ConfigurationError(f"{name} may not be used as an argument to add_exception_view")
        context = Exception if context is None else config.maybe_dotted(context)
        if not isexception(context):
            raise ConfigurationError(f'view "context" must be an exception type, not {context!r}')
        config.add_view(
            view=view,
            context=context,
            exception_only=True,
            permission=NO_PERMISSION_REQUIRED,
            require_csrf=False,
            **view_options,
        )

    def add_static_view(self, name: str, path: str, **kw: Any) -> None:
        """Serve the files in a directory (`package:path` or a path) below a path, or generate their URLs below a URL.

        Keywords are `cache_max_age` in seconds, `content_encodings`, `permission`, and the keywords of ``add_route``.
        """
        config: Any = self
        self._get_static_info().add(config, name, config._make_spec(path), **kw)  # noqa: SLF001 - the configurator's

    def add_cache_buster(self, path: str, cachebust: Any, explicit: bool = False) -> None:
        """Change the URLs of a directory's files with a cache buster.

        With ``explicit``, overriding files are matched by their own directory.
        """
        config: Any = self
        self._get_static_info().add_cache_buster(config, config._make_spec(path), cachebust, explicit=explicit)  # noqa: SLF001

    def _get_static_info(self) -> Any:
        from antiphon.dialects.pyramid.config.static import StaticURLInfo

        registry: Any = self.registry  # type: ignore[attr-defined]  # the configurator defines it
        info = registry.queryUtility(IStaticURLInfo)
        if info is None:
            info = StaticURLInfo()
            registry.registerUtility(info, IStaticURLInfo)
        return info


_PREDICATES = (
    ("xhr", built_in.XHRPredicate),
    ("request_method", built_in.RequestMethodPredicate),
    ("path_info", built_in.PathInfoPredicate),
    ("request_param", built_in.RequestParamPredicate),
    ("header", built_in.HeaderPredicate),
    ("accept", built_in.AcceptPredicate),
    ("containment", built_in.ContainmentPredicate),
    ("request_type", built_in.RequestTypePredicate),
    ("match_param", built_in.MatchParamPredicate),
    ("physical_path", built_in.PhysicalPathPredicate),
    ("is_authenticated", built_in.IsAuthenticatedPredicate),
    ("effective_principals", built_in.EffectivePrincipalsPredicate),
    ("custom", built_in.CustomPredicate),
)
_DERIVERS = (
    viewderivers.secured_view,
    viewderivers.owrapped_view,
    viewderivers.http_cached_view,
    viewderivers.decorated_view,
    viewderivers.rendered_view,
    viewderivers.mapped_view,
)
_MEDIA_TYPES = (
    "text/html", "application/xhtml+xml", "application/xml", "text/xml", "text/plain", "application/json",
)  # fmt: skip


class ViewOrderMixin:
    """Directives for view predicates, view derivers and the order of media types."""

    @action_method
    def add_view_predicate(
        self, name: str, factory: Any, weighs_more_than: Any = None, weighs_less_than: Any = None
    ) -> None:
        """Add a view predicate: a class called with a value and information about the application."""
        config: Any = self
        config._add_predicate(  # noqa: SLF001 - same class
            "view", name, factory, weighs_more_than=weighs_more_than, weighs_less_than=weighs_less_than
        )

    def add_default_view_predicates(self) -> None:
        for name, factory in _PREDICATES:
            self.add_view_predicate(name, factory)

    def add_default_accept_view_order(self) -> None:
        """Add the media types that are preferred by default."""
        for media_type in _MEDIA_TYPES:
            self.add_accept_view_order(media_type)

    @action_method
    def add_accept_view_order(self, value: str, weighs_more_than: Any = None, weighs_less_than: Any = None) -> None:
        """Prefer a media type over others that a client accepts equally.

        Raises ConfigurationError if a type with parameters is ordered relative to a different type.
        """
        config: Any = self
        media_type = normalize_accept_offer(value)
        more, less = _normalized(media_type, weighs_more_than), _normalized(media_type, weighs_less_than)

        def register() -> None:
            order = config.registry.queryUtility(IAcceptOrder)
            if order is None:
                order = TopologicalSorter()
                config.registry.registerUtility(order, IAcceptOrder)
            order.add(media_type, media_type, after=less, before=more)

        intr = config.introspectable("accept view order", media_type, media_type, "accept view order")
        intr.update(value=media_type, weighs_more_than=more, weighs_less_than=less)
        config.action(("accept view order", media_type), register, order=PHASE1_CONFIG, introspectables=(intr,))

    @action_method
    def add_view_deriver(self, deriver: Any, name: str | None = None, under: Any = None, over: Any = None) -> None:
        """Add a deriver: a function that receives a view and its info and returns a view.

        ``under`` and ``over`` are names of other derivers, INGRESS or VIEW. By default, a deriver comes between
        `decorated_view` and `rendered_view`. Raises ConfigurationError for an invalid position.
        """
        config: Any = self
        deriver = config.maybe_dotted(deriver)
        name = str(deriver.__name__) if name is None else name
        under = ("decorated_view",) if under is None else _names(under)
        over = ("rendered_view",) if over is None else _names(over)
        _check(name, under, over)

        def register() -> None:
            derivers = config.registry.queryUtility(IViewDerivers)
            if derivers is None:
                derivers = TopologicalSorter(default_before=None, default_after=INGRESS, first=INGRESS, last=VIEW)
                config.registry.registerUtility(derivers, IViewDerivers)
            derivers.add(name, deriver, before=over, after=under)

        discriminator = ("view deriver", name)
        intr = config.introspectable("view derivers", name, name, "view deriver")
        intr.update(name=name, deriver=deriver, under=under, over=over)
        config.action(discriminator, register, order=PHASE1_CONFIG, introspectables=(intr,))

    def add_default_view_derivers(self) -> None:
        above = INGRESS
        for deriver in _DERIVERS:
            self.add_view_deriver(deriver, name=deriver.__name__, under=above, over=VIEW)
            above = deriver.__name__
        self.add_view_deriver(viewderivers.csrf_view, "csrf_view", under="secured_view", over="owrapped_view")


def _names(given: Any) -> tuple[str, ...]:
    return tuple(given) if is_nonstr_iter(given) else (given,)


def _check(name: str, under: tuple[str, ...], over: tuple[str, ...]) -> None:
    if name in (INGRESS, VIEW):
        raise ConfigurationError(f"{name} is a reserved view deriver name")
    if INGRESS in over:
        raise ConfigurationError(f"{name} cannot be over INGRESS")
    if VIEW in over and name != "mapped_view":
        over = tuple({*(each for each in over if each != VIEW), "mapped_view"})
    if VIEW in under:
        raise ConfigurationError(f"{name} cannot be under VIEW")
    if "mapped_view" in under:
        raise ConfigurationError(f'{name} cannot be under "mapped_view"')


def _normalized(value: str, others: Any) -> Any:
    if others is None:
        return None
    names = [normalize_accept_offer(each) for each in (others if is_nonstr_iter(others) else [others])]
    kind, semicolon, _ = value.partition(";")
    for name in names:
        other, other_semicolon, _ = name.partition(";")
        if semicolon != other_semicolon:
            raise ConfigurationError(f"a media type with parameters is compared to one without: {value!r}, {name!r}")
        if semicolon and kind != other:
            raise ConfigurationError(f"parameters of different media types are compared: {value!r}, {name!r}")
    return names
