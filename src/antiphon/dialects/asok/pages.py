"""Pages of an Asok project, on the native ``Pages``: the functions of a module, or only a template."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import wraps
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeAlias

from antiphon import Request as NativeRequest
from antiphon.dialects.asok.middlewares import around, result_of, waits
from antiphon.dialects.asok.request import Request
from antiphon.dialects.asok.response import answer
from antiphon.features import PageFile, Pages

if TYPE_CHECKING:
    from antiphon.dialects.asok.app import Asok

PageFunction: TypeAlias = Callable[[Request], Any]
"""A page's function, ``def`` or ``async def``, from a request to a text or another value that can be answered."""

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
"""The methods that ``render`` answers, where a page has no function of their name."""
_VERBS = (*METHODS, "HEAD", "OPTIONS")

_hex = re.compile(r"[0-9A-Fa-f-]{1,64}").fullmatch
_slug = re.compile(r"[a-z0-9-]{1,255}").fullmatch


def _read_hex(segment: str) -> str:
    """Return a segment of hexadecimal digits. Raises ValueError for any other segment."""
    if not _hex(segment):
        raise ValueError(f"{segment[:50]!r} is not hexadecimal")
    return segment


def _read_slug(segment: str) -> str:
    """Return a segment of lower-case letters, digits and hyphens. Raises ValueError for any other segment."""
    if not _slug(segment):
        raise ValueError(f"{segment[:50]!r} is not a slug")
    return segment


CONVERTERS: Mapping[str, Callable[[str], str]] = {"hex": _read_hex, "slug": _read_slug}
"""The converters of dynamic segments that are not native: ``[name:slug]``."""

_status_of_error = re.compile(r"([45]\d\d)(?:/(?:page|index))?").fullmatch


class AsokPages(Pages):
    """The pages of a project: ``page.py`` is the page of its folder, and so is ``page.html`` without a ``page.py``.

    ``of_errors`` are those that answer errors, by the statuses that they are named after.
    """

    suffixes = (".py", ".html", ".asok")

    def __init__(self, app: "Asok", folder: str) -> None:
        super().__init__(folder)
        self.of_errors: dict[int, tuple[str, PageFunction]] = {}
        self._app = app

    def handlers(self, page: PageFile) -> Iterable[tuple[tuple[str, ...], Callable[..., Any]]]:
        """Return the handlers of a page by their methods. Raises ValueError for a module without one."""
        functions = [*self._functions(page)]
        if not functions:
            raise ValueError(f"{page.path} has no handler: define render, or a method's function such as post")
        if found := _status_of_error(page.name):
            self.of_errors[int(found[1])] = page.path, functions[-1][1]
        return [
            (each, self._handler(page.path, function)) for methods, function in functions for each in _apart(methods)
        ]

    def _functions(self, page: PageFile) -> Iterator[tuple[tuple[str, ...], PageFunction]]:
        """Yield the functions of a page with their methods, ``render`` last."""
        if not page.path.endswith(".py"):
            yield METHODS, _render_template
            return
        module = self.load(page)
        own = [verb for verb in _VERBS if callable(vars(module).get(verb.lower()))]
        for verb in own:
            yield (verb,), vars(module)[verb.lower()]
        others = tuple(verb for verb in METHODS if verb not in own)
        if others and (function := _render(module)):
            yield others, function

    def _handler(self, path: str, function: PageFunction) -> Callable[[NativeRequest], Any]:
        """Return the native handler that calls a page's function, in its colour, inside of the middlewares."""
        app = self._app
        inner = around(app.middleware_handlers, function)

        def handler(native: NativeRequest) -> Any:
            request = Request(app, native, path)
            return answer(request, inner(request), function)

        async def async_handler(native: NativeRequest) -> Any:
            request = Request(app, native, path)
            return answer(request, await result_of(inner, request), function)

        return wraps(function)(async_handler if waits(inner) else handler)


def _apart(methods: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Return GET separate from other methods, since a route with only safe methods needs less around it."""
    others = tuple(method for method in methods if method != "GET")
    return [("GET",), others] if others and len(others) < len(methods) else [methods]


def _render(module: ModuleType) -> PageFunction | None:
    """Return the function that answers methods without their own function in a page, or None."""
    if callable(render := vars(module).get("render")):
        return render  # type: ignore[no-any-return]  # it has been asked
    if "CONTENT" in vars(module):
        return lambda _request: module.CONTENT
    return None


def _render_template(request: Request) -> str:
    """Answer with the template that is the page itself."""
    return request.html(request.page_file or "", **request.page_context)
