"""The end of a context, step by step: the teardown functions of its request and of the application."""

from collections.abc import Callable, Coroutine, Iterable
from typing import TYPE_CHECKING, Any

from antiphon.dialects._environ.heads import forget_frames
from antiphon.dialects.flask import dispatch, signals
from antiphon.dialects.flask.bodies import SERVER_BODY
from antiphon.dialects.flask.globals import _cv_app
from antiphon.dialects.flask.running import drive

if TYPE_CHECKING:
    from antiphon.dialects.flask.app import Flask
    from antiphon.dialects.flask.ctx import AppContext
    from antiphon.dialects.flask.wrappers import Request


async def leave(ctx: "AppContext", exc: BaseException | None) -> None:
    """Pop a context and tear it down, step by step."""
    if ctx._leave_at_once():  # noqa: SLF001 - same package
        return
    try:
        if len(ctx._outer) == 1:  # noqa: SLF001 - same package
            if ctx._pins:  # noqa: SLF001
                ctx._leaves_later = True  # noqa: SLF001
            else:
                await tear_down(ctx, exc)
    finally:
        current = _take_off(ctx)
    if signals.appcontext_popped.receivers and ctx.host is None:
        await dispatch.send(ctx, signals.appcontext_popped)
    if current is not ctx:
        raise AssertionError(f"Popped wrong context. ({current!r} instead of {ctx!r})")


def _take_off(ctx: "AppContext") -> "AppContext | None":
    """Make the outer context current, or take this one from below the requests that it hosts, which stay current.

    Return this context, or the one that was current in its place.
    """
    current = upper = _cv_app.get()
    outer = ctx._pop_outer()  # noqa: SLF001 - same package, here and below
    while upper is not None and upper.host is ctx and ctx._request is None and (below := upper._outer):  # noqa: SLF001
        if below[-1] is ctx:
            below[-1] = outer
            return ctx
        upper = below[-1]
    _cv_app.set(outer)
    return current


async def tear_down(ctx: "AppContext", exc: BaseException | None) -> None:
    """Call the teardown functions of a request and of the application, step by step.

    All of them are called, even if one fails. A single error is raised unchanged, and several are raised as a group.
    """
    errors: list[BaseException] = []
    request = ctx._request
    if request is not None:
        await tear_down_request(ctx, request, exc, errors)
        ctx._request = None
    try:
        if ctx.host is None:
            await tear_down_app(ctx, exc, errors)
    finally:
        ctx._request = request
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise BaseExceptionGroup("errors of teardown functions", errors)


def run(ctx: "AppContext", steps: Callable[..., Coroutine[Any, Any, None]], exc: BaseException | None) -> None:
    """Run ``do_teardown_request`` or ``do_teardown_appcontext`` on this thread.

    Raises the first error in the functions that it calls.
    """
    errors: list[BaseException] = []
    drive(ctx, steps(ctx, exc, errors))
    if errors:
        raise errors[0]


def has_teardown(app: "Flask") -> bool:
    """Return True if there is anything to call at the end of a context."""
    return bool(
        app.teardown_appcontext_funcs
        or app.teardown_request_funcs
        or signals.request_tearing_down.receivers
        or signals.appcontext_tearing_down.receivers
        or signals.appcontext_popped.receivers
        or app.overrides
    )


async def tear_down_request(
    ctx: "AppContext", request: "Request", exc: BaseException | None, errors: list[BaseException]
) -> None:
    """Call a request's teardown functions, then close it. Errors are appended to ``errors``."""
    app = ctx.app
    if "do_teardown_request" in app.overrides:
        await _noting(errors, dispatch.replaced(ctx, "do_teardown_request", exc))
    else:
        await do_teardown_request(ctx, exc, errors)
    try:
        close(ctx, request)
    except Exception as error:
        errors.append(error)


def close(ctx: "AppContext", request: "Request") -> None:
    """Close a request and release it, since its environ and its exception's traceback refer to it, too."""
    if (error := request.routing_exception) is not None:
        forget_frames(error)
    if not ctx.is_copy and (body := ctx.body or request.environ.get(SERVER_BODY)) is not None:
        body.close()
    request.close()
    request.environ["werkzeug.request"] = None


async def do_teardown_request(ctx: "AppContext", exc: BaseException | None, errors: list[BaseException]) -> None:
    """Call a request's teardown functions. Errors are appended to ``errors``."""
    functions = ctx.app.teardown_request_funcs
    if functions:
        for name in reversed(dispatch.hook_names(ctx.request)):
            await _call_all(ctx, functions.get(name, ()), exc, errors)
    if signals.request_tearing_down.receivers:
        await _noting(errors, dispatch.send(ctx, signals.request_tearing_down, exc=exc))


async def tear_down_app(ctx: "AppContext", exc: BaseException | None, errors: list[BaseException]) -> None:
    """Call the teardown functions of an application context. Errors are appended to ``errors``."""
    if "do_teardown_appcontext" in ctx.app.overrides:
        await _noting(errors, dispatch.replaced(ctx, "do_teardown_appcontext", exc))
    else:
        await do_teardown_appcontext(ctx, exc, errors)


async def do_teardown_appcontext(ctx: "AppContext", exc: BaseException | None, errors: list[BaseException]) -> None:
    """Call the teardown functions of an application context. Errors are appended to ``errors``."""
    await _call_all(ctx, ctx.app.teardown_appcontext_funcs, exc, errors)
    if signals.appcontext_tearing_down.receivers:
        await _noting(errors, dispatch.send(ctx, signals.appcontext_tearing_down, exc=exc))


async def _call_all(
    ctx: "AppContext", functions: Iterable[Callable[..., Any]], exc: BaseException | None, errors: list[BaseException]
) -> None:
    for function in reversed([*functions]):
        await _noting(errors, dispatch.call(ctx, function, exc))


async def _noting(errors: list[BaseException], steps: Any) -> None:
    try:
        await steps
    except Exception as error:
        errors.append(error)
