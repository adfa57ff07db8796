"""The MIDDLEWARE_CLASSES of settings.py: what is asked before a view, and after it."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from antiphon.dialects.kay.routing import View
from antiphon.dialects.werkzeug.utils.imports import import_string


class Middleware:
    """An object of each class, or of its dotted name, made once for an application. Its methods may be left out.

    ``process_request(request)`` comes before the path is looked up, ``process_view(request, view, **values)`` before
    the view: what they return, unless that is None, answers in its place. ``process_exception(request, exception)`` is
    told what a view raises, and may answer it. ``process_response(request, response)`` gives what is sent. The latter
    two are called in reverse order.
    """

    def __init__(self, classes: Iterable[type | str]) -> None:
        made = [(import_string(each) if isinstance(each, str) else each)() for each in classes]
        self._of_requests = _methods(made, "process_request")
        self._of_views = _methods(made, "process_view")
        made.reverse()
        self._of_exceptions = _methods(made, "process_exception")
        self._of_responses = _methods(made, "process_response")

    def before(self, request: Any) -> Any:
        """What answers a request before its path is looked up; None where nothing does."""
        return _first(self._of_requests, request)

    def call(self, view: View, request: Any, values: Mapping[str, Any]) -> Any:
        """What a view answers, or what does so in its place."""
        answer = _first(self._of_views, request, view, **values)
        if answer is not None:
            return answer
        try:
            return view(request, **values)
        except Exception as error:
            answer = _first(self._of_exceptions, request, error)
            if answer is None:
                raise
            return answer

    def after(self, request: Any, response: Any) -> Any:
        """What is sent in the place of a response."""
        for process in self._of_responses:
            response = process(request, response)
        return response


def _methods(objects: Iterable[object], name: str) -> list[Callable[..., Any]]:
    return [getattr(each, name) for each in objects if hasattr(each, name)]


def _first(methods: Iterable[Callable[..., Any]], *arguments: Any, **named: Any) -> Any:
    """The first answer."""
    return next((answer for method in methods if (answer := method(*arguments, **named)) is not None), None)
