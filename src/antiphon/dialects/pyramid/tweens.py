"""Tweens: functions around the application, from the server (INGRESS) to the views (MAIN)."""

import sys
from collections.abc import Callable
from typing import Any

from antiphon.dialects.pyramid.httpexceptions import HTTPNotFound

MAIN = "MAIN"
"""Stands for the views."""
INGRESS = "INGRESS"
"""Stands for the server."""
EXCVIEW = "pyramid.tweens.excview_tween_factory"
"""The name of the tween that answers exceptions by their views."""

Handler = Callable[[Any], Any]


def excview_tween_factory(handler: Handler, registry: Any) -> Handler:  # noqa: ARG001 - as tweens are made
    """Return a handler that answers exceptions by their views, and raises those that have none."""

    def excview_tween(request: Any) -> Any:
        try:
            return handler(request)
        except Exception:
            response = _answer_by_view(request)
            if response is None:
                raise
            return response

    return excview_tween


def _answer_by_view(request: Any) -> Any:
    """Return the response of the exception view for the current exception, or None if it has no view.

    The exception is not raised here: its traceback would have this frame, and the variables here would keep both.
    """
    try:
        return request.invoke_exception_view(sys.exc_info())
    except HTTPNotFound:
        return None
