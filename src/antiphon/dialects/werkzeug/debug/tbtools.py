"""Tracebacks for developers, as text and as pages without a console."""

from collections.abc import Mapping
from html import escape
from itertools import islice
from traceback import StackSummary, TracebackException, walk_tb

_PAGE = """<!doctype html>
<html lang=en>
<meta charset=utf-8>
<title>{title}</title>
<h1>{kind}</h1>
<p>{message}
{traceback}
"""


class DebugTraceback:
    """An exception's traceback without its first ``skip`` frames.

    ``hide`` omits frames in which ``__traceback_hide__`` is true. ``te`` is an existing traceback to use with all its
    frames.
    """

    def __init__(
        self, exc: BaseException, te: TracebackException | None = None, *, skip: int = 0, hide: bool = True
    ) -> None:
        self._traceback = TracebackException.from_exception(exc) if te is None else te
        if te is None:
            frames = [frame for frame, _ in walk_tb(exc.__traceback__)]
            listed = zip(self._traceback.stack, frames, strict=False)  # sys.tracebacklimit may shorten it
            shown = [each for each, frame in islice(listed, skip, None) if not (hide and _is_hidden(frame.f_locals))]
            self._traceback.stack = StackSummary.from_list(shown)

    def __str__(self) -> str:
        return "".join(self._traceback.format_exception_only()).rstrip("\n")

    def render_traceback_text(self) -> str:
        """Return the traceback in Python's own format."""
        return "".join(self._traceback.format())

    def render_traceback_html(self, include_title: bool = True) -> str:
        title = "<h3>Traceback <em>(most recent call last)</em></h3>\n" if include_title else ""
        return f'<div class="traceback">\n{title}<pre>{escape(self.render_traceback_text())}</pre>\n</div>'

    def render_debugger_html(self, evalex: bool, secret: str, evalex_trusted: bool) -> str:  # noqa: ARG002 - no console
        """Return the traceback as an HTML page, which never has a console. The arguments have no effect."""
        kind, _, message = str(self).partition(": ")
        return _PAGE.format(
            title=escape(str(self)), kind=escape(kind), message=escape(message), traceback=self.render_traceback_html()
        )


def _is_hidden(variables: Mapping[str, object]) -> bool:
    return bool(variables.get("__traceback_hide__"))
