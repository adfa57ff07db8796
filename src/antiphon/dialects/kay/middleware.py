"""The MIDDLEWARE_CLASSES of the settings: functions called before and after a view."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from antiphon.dialects.kay.routing import View
from antiphon.dialects.werkzeug.utils import import_string


class Middleware:
    """The middleware objects of an application: one of each class, which may be named by its dotted name.

    They may have these methods. ``process_request(request)`` is called before the path is looked up, and
    ``process_view(request, view, **values)`` before the view; an answer other than None takes the view's place.
    ``process_exception(request, exception)`` gets an exception of the view, and may answer it.
    ``process_response(request, response)`` returns the response to send. The last two are called in reverse order.
    """

    def __init__(self, classes: Iterable[type | str]) -> None:
        made = [(import_string(each) if isinstance(each, str) else each)() for each in classes]
        self._of_requests = _methods(made, "process_request")
        self._of_views = _methods(made, "process_view")
        made.reverse()
        self._of_exceptions = _methods(made, "process_exception")
        self._of_responses = _methods(made, "process_response")

    def before(self, request: Any) -> Any:
        """Return the answer to a request before its path is looked up; None if no middleware gives one."""
        return _first(self._of_requests, request)

    def call(self, view: View, request: Any, values: Mapping[str, Any]) -> Any:
        """Return the answer of a view, or of a middleware in its place."""
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
        """Return the response to send in the place of a view's response."""
        for process in self._of_responses:
            response = process(request, response)
        return response


def _methods(objects: Iterable[object], name: str) -> list[Callable[..., Any]]:
    return [getattr(each, name) for each in objects if hasattr(each, name)]


def _first(methods: Iterable[Callable[..., Any]], *arguments: Any, **named: Any) -> Any:
    """Return the first answer other than None."""
    return next((answer for method in methods if (answer := method(*arguments, **named)) is not None), None)
