"""Pages of an Asok project, by the native ``Pages``: a module's functions, or a template alone."""

from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from types import ModuleType
from typing import TYPE_CHECKING, Any

from antiphon.dialects.asok.middlewares import around
from antiphon.dialects.asok.request import Request
from antiphon.dialects.asok.response import answer
from antiphon.features.pages import PageFile, Pages
from antiphon.handler.contract import is_async
from antiphon.request.request import Request as NativeRequest

if TYPE_CHECKING:
    from antiphon.dialects.asok.app import Asok

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
"""The methods that ``render`` answers, where a page has no function of their name."""
_VERBS = (*METHODS, "HEAD", "OPTIONS")


class AsokPages(Pages):
    """The pages of a project: ``page.py`` stands for its folder, and so does ``page.html`` without it."""

    suffixes = (".py", ".html", ".asok")

    def __init__(self, app: "Asok", folder: str) -> None:
        super().__init__(folder)
        self._app = app

    def handlers(self, page: PageFile) -> Iterable[tuple[tuple[str, ...], Callable[..., Any]]]:
        """Return the handlers of a page by their methods. Raises ValueError for a module without one."""
        functions = [*self._functions(page)]
        if not functions:
            raise ValueError(f"{page.path} has no handler: define render, or a method's function such as post")
        return [(methods, handler_of(self._app, page.path, function)) for methods, function in functions]

    def _functions(self, page: PageFile) -> Iterator[tuple[tuple[str, ...], Callable[..., Any]]]:
        if not page.path.endswith(".py"):
            yield METHODS, _render_template(page.path)
            return
        module = self.load(page)
        own = [verb for verb in _VERBS if callable(vars(module).get(verb.lower()))]
        for verb in own:
            yield (verb,), vars(module)[verb.lower()]
        others = tuple(verb for verb in METHODS if verb not in own)
        if others and (function := _render(module)):
            yield others, function


def _render(module: ModuleType) -> Callable[..., Any] | None:
    """Return the function that answers what no other function of a page does; None if it has none."""
    if callable(render := vars(module).get("render")):
        return render  # type: ignore[no-any-return]  # it has been asked
    if "CONTENT" in vars(module):
        return lambda _request: module.CONTENT
    return None


def _render_template(path: str) -> Callable[[Request], str]:
    """Return the function of a page that is only a template."""

    def render(request: Request) -> str:
        return request.html(path)

    return render


def handler_of(app: "Asok", path: str, function: Callable[..., Any]) -> Callable[[NativeRequest], Any]:
    """Return the native handler that calls a page's function, in its colour, inside of the project's middlewares."""
    inner = around(app.middleware_handlers, function)

    if is_async(inner):

        @wraps(function)
        async def handler(native: NativeRequest) -> Any:
            request = Request(app, native)
            request.page_file = path
            return answer(request, await inner(request), function)

        return handler

    @wraps(function)
    def sync_handler(native: NativeRequest) -> Any:
        request = Request(app, native)
        request.page_file = path
        return answer(request, inner(request), function)

    return sync_handler
