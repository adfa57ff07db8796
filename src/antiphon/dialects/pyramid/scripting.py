"""Applications in programs that don't handle requests, such as a shell, a job or a migration."""

from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from antiphon.dialects.pyramid.config import global_registries
from antiphon.dialects.pyramid.exceptions import ConfigurationError
from antiphon.dialects.pyramid.interfaces import IRequestFactory, IRootFactory
from antiphon.dialects.pyramid.request import Request, apply_request_extensions
from antiphon.dialects.pyramid.threadlocal import RequestContext
from antiphon.dialects.pyramid.traversal import DefaultRootFactory


def get_root(app: Any, request: Any = None) -> tuple[Any, Callable[[], None]]:
    """Return an application's root, and a function that makes the application no longer current."""
    if request is None:
        request = _make_request("/", app.registry)
    request.registry = app.registry
    context = RequestContext(request)
    context.begin()
    return app.root_factory(request), context.end


class AppEnvironment(dict[str, Any]):
    """A current application, with ``root``, ``request``, ``registry``, ``root_factory`` and ``closer``.

    Call ``closer`` or leave a `with` block to make it no longer current.
    """

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self["closer"]()


def prepare(request: Any = None, registry: Any = None) -> AppEnvironment:
    """Make an application current, by default the newest one, with a request, by default one for its root.

    Raises ConfigurationError if there is no application.
    """
    if registry is None:
        registry = getattr(request, "registry", global_registries.last)
    if registry is None:
        raise ConfigurationError(
            "No valid Pyramid applications could be found, make sure one has been created before trying to activate it."
        )
    if request is None:
        request = _make_request("/", registry)
    request.registry = registry
    current = RequestContext(request)
    current.begin()
    apply_request_extensions(request)

    def close() -> None:
        if request.finished_callbacks:
            request._process_finished_callbacks()  # noqa: SLF001 - same package
        current.end()

    root_factory = registry.queryUtility(IRootFactory, default=DefaultRootFactory)
    root = root_factory(request)
    if getattr(request, "context", None) is None:
        request.context = root
    return AppEnvironment(root=root, closer=close, registry=registry, request=request, root_factory=root_factory)


def _make_request(path: str, registry: Any = None) -> Any:
    """Return a request for an application, by default the newest one."""
    registry = global_registries.last if registry is None else registry
    request = registry.queryUtility(IRequestFactory, default=Request).blank(path)
    request.registry = registry
    return request
