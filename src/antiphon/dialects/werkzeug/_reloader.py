"""Werkzeug's reloader for programs that serve with their own function, as Flask-SocketIO does."""

from collections.abc import Callable, Iterable

from antiphon.dialects.werkzeug.serving.reloader import is_running_from_reloader, run_child, serve_until_changed


class _Function:
    """A server that is a function, which nothing ends but the end of its process."""

    def __init__(self, function: Callable[[], object]) -> None:
        self._function = function

    def serve_forever(self) -> None:
        """Call the function."""
        self._function()

    def shutdown(self, within: float) -> None:
        """Leave the function as it is."""


def run_with_reloader(
    main_func: Callable[[], object],
    extra_files: Iterable[str] | None = None,
    exclude_patterns: Iterable[str] | None = None,
    interval: float = 1,
    reloader_type: str = "auto",  # noqa: ARG001 - there is one
) -> None:
    """Run this program as a child, and in that call a function, which serves, on a thread.

    The child is run again whenever a file of its modules, or one of ``extra_files``, has changed, except files that
    match ``exclude_patterns``. They are looked at each ``interval`` of seconds.
    """
    if not is_running_from_reloader():
        run_child(None)
    serve_until_changed(_Function(main_func), extra_files or (), exclude_patterns or (), interval)
