"""Tweens: functions around the application, between the server (INGRESS) and the views (MAIN)."""

import sys
from collections.abc import Callable
from typing import Any

from antiphon.dialects.pyramid.httpexceptions import HTTPNotFound

MAIN = "MAIN"
"""The name that stands for the views."""
INGRESS = "INGRESS"
"""The name that stands for the server."""
EXCVIEW = "pyramid.tweens.excview_tween_factory"
"""The name of the tween that calls exception views."""

Handler = Callable[[Any], Any]


def excview_tween_factory(handler: Handler, registry: Any) -> Handler:  # noqa: ARG001 - as tweens are made
    """Return a handler that calls exception views. It re-raises exceptions that have none."""

    def excview_tween(request: Any) -> Any:
        try:
            return handler(request)
        except Exception:
            response = _respond_by_view(request)
            if response is None:
                raise
            return response

    return excview_tween


def _respond_by_view(request: Any) -> Any:
    """Return the exception view's response to the current exception, or None if there is no such view.

    The exception must not be raised here: its traceback would refer to this frame, whose variables would keep both
    alive.
    """
    try:
        return request.invoke_exception_view(sys.exc_info())
    except HTTPNotFound:
        return None
