"""Tweens: functions around the application, from the server (INGRESS) to the views (MAIN)."""

import sys
from collections.abc import Callable
from typing import Any

from antiphon.dialects.pyramid.httpexceptions import HTTPNotFound
from antiphon.dialects.pyramid.util import reraise

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
        except Exception as error:
            return _error_handler(request, error)

    return excview_tween


def _error_handler(request: Any, exc: Exception) -> Any:
    exc_info = sys.exc_info()
    try:
        return request.invoke_exception_view(exc_info)
    except HTTPNotFound:
        pass
    reraise(*exc_info)
    raise exc
