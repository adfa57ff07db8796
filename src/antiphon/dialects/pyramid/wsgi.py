"""WSGI applications as views."""

from functools import WRAPPER_ASSIGNMENTS, wraps
from typing import Any

from antiphon.dialects.pyramid.request import call_app_with_subpath_as_path_info


def wsgiapp(wrapped: Any) -> Any:
    """Turn a WSGI application into a view, and pass it the environ unchanged. Raises ValueError for None."""
    _check(wrapped)

    def view(context: Any, request: Any) -> Any:  # noqa: ARG001 - the signature of views
        return request.get_response(wrapped)

    return _named(view, wrapped)


def wsgiapp2(wrapped: Any) -> Any:
    """Turn a WSGI application into a view, with the request's subpath as its path. Raises ValueError for None."""
    _check(wrapped)

    def view(context: Any, request: Any) -> Any:  # noqa: ARG001 - the signature of views
        return call_app_with_subpath_as_path_info(request, wrapped)

    return _named(view, wrapped)


def _check(wrapped: Any) -> None:
    if wrapped is None:
        raise ValueError("wrapped can not be None")


def _named(view: Any, wrapped: Any) -> Any:
    names = WRAPPER_ASSIGNMENTS if getattr(wrapped, "__name__", None) else ("__module__", "__doc__")
    return wraps(wrapped, names)(view)
