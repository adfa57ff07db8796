"""``run_simple``: serve an application until Ctrl-C, and restart when its files change."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from antiphon.dialects.werkzeug._reloader import (
    inherited_socket,
    is_running_from_reloader,
    run_child,
    serve_until_changed,
)
from antiphon.dialects.werkzeug.debug import DebuggedApplication
from antiphon.dialects.werkzeug.middleware.shared_data import SharedDataMiddleware, Source
from antiphon.dialects.werkzeug.serving.server import WSGIRequestHandler, make_server

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


def run_simple(
    hostname: str,
    port: int,
    application: "WSGIApplication",
    use_reloader: bool = False,
    use_debugger: bool = False,
    use_evalex: bool = True,
    extra_files: Iterable[str] | None = None,
    exclude_patterns: Iterable[str] | None = None,
    reloader_interval: float = 1,
    reloader_type: str = "auto",  # noqa: ARG001 - there is one
    threaded: bool = False,
    processes: int = 1,
    request_handler: type[WSGIRequestHandler] | None = None,
    static_files: dict[str, Source] | None = None,
    passthrough_errors: bool = False,
    ssl_context: object = None,
) -> None:
    """Serve on a host and port (0: a free one); one request at a time, unless ``threaded``.

    With ``use_reloader`` the program runs as a child of itself, again whenever a file of its modules or one of
    ``extra_files`` changes, except files that match ``exclude_patterns``. ``use_debugger`` warns that there is none:
    errors are logged, and answered with a page. Raises TypeError for a port that is not a number, NotImplementedError
    for options that ``make_server`` does not offer.
    """
    if not isinstance(port, int):
        raise TypeError("port must be an integer")
    if use_debugger and (is_running_from_reloader() or not use_reloader):
        application = DebuggedApplication(application, use_evalex)
    if static_files:
        application = SharedDataMiddleware(application, static_files)
    fd = inherited_socket()
    server = make_server(
        hostname, port, application, threaded, processes, request_handler, passthrough_errors, ssl_context, fd
    )
    if not is_running_from_reloader():
        server.log_startup()
    if not use_reloader:
        server.serve_forever()
    elif is_running_from_reloader():
        serve_until_changed(server, extra_files or (), exclude_patterns or (), reloader_interval)
    else:
        run_child(server.fileno())
