"""Methods of the dispatch that a program replaces: by a subclass, or by an assignment to the application.

The application notes them once, so that no request looks for them. They are called with the context, as those of Flask
3.2, if their first parameter is one.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from antiphon.embedding import annotations_of, innermost, signature_of

if TYPE_CHECKING:
    from antiphon.dialects.flask.ctx import AppContext

STEPS = (
    "full_dispatch_request",
    "preprocess_request",
    "dispatch_request",
    "process_response",
    "finalize_request",
    "handle_exception",
    "handle_user_exception",
    "handle_http_exception",
    "log_exception",
    "make_default_options_response",
    "do_teardown_request",
    "do_teardown_appcontext",
)
"""The methods that may take a context."""

OTHERS = ("make_response", "ensure_sync", "async_to_sync", "wsgi_app")
"""Methods that take none, but may block, or change how functions are called."""

OVERRIDABLE = frozenset((*STEPS, *OTHERS))


def overrides_of(app: object, own: dict[str, Any]) -> dict[str, Callable[..., Any]]:
    """Return a function of a context and arguments for each method of an application that is not ``own``.

    An own ``__call__``, by which Sentry instruments applications, counts as an own ``wsgi_app``.
    """
    found: dict[str, Callable[..., Any]] = {}
    for name in OVERRIDABLE:
        if name in vars(app) or getattr(type(app), name) is not own[name]:
            method = getattr(app, name)
            found[name] = method if name in STEPS and takes_context(method) else _without_context(method)
    if getattr(type(app), "__call__") is not own["__call__"]:  # noqa: B004, B009 - the class's, and not the instance's
        found.setdefault("wsgi_app", _without_context(app))  # type: ignore[arg-type]  # applications are called
    return found


def _without_context(method: Callable[..., Any]) -> Callable[..., Any]:
    return lambda _, *args: method(*args)


def takes_context(method: Callable[..., Any]) -> bool:
    """Return True if the first parameter of a bound method is a context, by its name or its annotation."""
    try:
        first = next(iter(signature_of(method).parameters.values()), None)
    except (ValueError, TypeError):
        return False
    if first is None or first.kind is first.VAR_POSITIONAL:
        return False
    if first.name == "ctx":
        return True
    annotation = annotations_of(innermost(method)).get(first.name)
    name = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")
    return name.rpartition(".")[2].strip("'\"") == "AppContext"


def given(args: tuple[Any, ...], named: dict[str, Any]) -> "tuple[AppContext, list[Any]]":
    """Return the context and the other arguments of a method that may be called with a context or without one."""
    from antiphon.dialects.flask.ctx import AppContext
    from antiphon.dialects.flask.globals import _app_context, _cv_app

    rest = [*args, *named.values()]
    if rest and isinstance(rest[0], AppContext):
        return rest[0], rest[1:]
    return _cv_app.get() or _app_context(), rest
