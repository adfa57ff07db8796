"""Directives for exception views, not-found views, forbidden views and static files."""

from typing import Any

from antiphon.dialects.pyramid.config.actions import action_method
from antiphon.dialects.pyramid.config.deriving import isexception, viewdefaults
from antiphon.dialects.pyramid.exceptions import ConfigurationError
from antiphon.dialects.pyramid.httpexceptions import HTTPForbidden, HTTPNotFound, default_exceptionresponse_view
from antiphon.dialects.pyramid.interfaces import IStaticURLInfo
from antiphon.dialects.pyramid.security import NO_PERMISSION_REQUIRED
from antiphon.dialects.pyramid.view import AppendSlashNotFoundViewFactory

_NOT_TAKEN = ("name", "permission", "context", "for_", "exception_only", "require_csrf")


class SpecialViewsMixin:
    """Directives for special views."""

    @viewdefaults
    @action_method
    def add_forbidden_view(self, view: Any = None, **view_options: Any) -> None:
        """Add the view that handles requests without the required permission. Takes the keywords of ``add_view``.

        Raises ConfigurationError for a name, a permission, a context or `require_csrf`.
        """
        self._add_special_view("add_forbidden_view", HTTPForbidden, view, view_options)

    set_forbidden_view = add_forbidden_view

    @viewdefaults
    @action_method
    def add_notfound_view(self, view: Any = None, append_slash: Any = False, **view_options: Any) -> None:
        """Add the view that handles requests for which nothing is found. Takes the keywords of ``add_view``.

        ``append_slash`` redirects to the path with a slash if a route matches it; it may be the class of the redirect.
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
            inner = config._derive_view(  # noqa: SLF001 - of this class
                (lambda context, request: {}) if view is None else view,  # noqa: ARG005
                attr=options.pop("attr", None),
                renderer=options.pop("renderer", None),
            )
        redirect = {} if append_slash is True else {"redirect_class": config.maybe_dotted(append_slash)}
        return AppendSlashNotFoundViewFactory(inner, **redirect)

    @viewdefaults
    @action_method
    def add_exception_view(self, view: Any = None, context: Any = None, **view_options: Any) -> None:
        """Add a view that handles exceptions, of all classes or of one. Takes the keywords of ``add_view``.

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
        """Serve the files of a directory (`package:path` or a path) below a path, or make their URLs below a URL.

        Keywords are `cache_max_age` in seconds, `content_encodings`, `permission`, and those of ``add_route``.
        """
        config: Any = self
        self._get_static_info().add(config, name, config._make_spec(path), **kw)  # noqa: SLF001 - of the configurator

    def add_cache_buster(self, path: str, cachebust: Any, explicit: bool = False) -> None:
        """Change the URLs of a directory's files with a cache buster.

        An ``explicit`` one applies to files that override others, by their own directory.
        """
        config: Any = self
        self._get_static_info().add_cache_buster(config, config._make_spec(path), cachebust, explicit=explicit)  # noqa: SLF001

    def _get_static_info(self) -> Any:
        from antiphon.dialects.pyramid.config.static import StaticURLInfo

        registry: Any = self.registry  # type: ignore[attr-defined]  # the configurator has it
        info = registry.queryUtility(IStaticURLInfo)
        if info is None:
            info = StaticURLInfo()
            registry.registerUtility(info, IStaticURLInfo)
        return info
