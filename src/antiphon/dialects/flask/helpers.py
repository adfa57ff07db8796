"""What views use: URLs, redirects, errors, responses, files; and the settings of the environment."""

import importlib.util
import os
import sys
from collections.abc import Callable
from datetime import datetime
from typing import IO, TYPE_CHECKING, Any, NoReturn

from antiphon.dialects.flask.flashing import flash, get_flashed_messages
from antiphon.dialects.flask.globals import _cv_app, app_ctx, current_app, request_ctx
from antiphon.dialects.flask.names import parents_of as _split_blueprint_path  # noqa: F401 - Flask's name for it
from antiphon.dialects.flask.reexports import reexports
from antiphon.dialects.flask.streams import stream_with_context
from antiphon.dialects.werkzeug.exceptions.aborter import abort as _default_abort
from antiphon.dialects.werkzeug.utils import files
from antiphon.dialects.werkzeug.utils.redirects import redirect as _default_redirect
from antiphon.handler.errors import is_debug

__all__ = [
    "abort",
    "flash",
    "get_debug_flag",
    "get_flashed_messages",
    "get_load_dotenv",
    "get_root_path",
    "get_template_attribute",
    "make_response",
    "redirect",
    "send_file",
    "send_from_directory",
    "stream_with_context",
    "url_for",
]

if TYPE_CHECKING:
    from antiphon.dialects.flask.wrappers import Response
    from antiphon.dialects.werkzeug.wrappers.response import Response as BaseResponse

_NO = ("0", "false", "no")


def get_debug_flag() -> bool:
    """Return True if FLASK_DEBUG in the environment switches the debug mode on; else if `antiphon run --debug` does."""
    value = os.environ.get("FLASK_DEBUG")
    return value.lower() not in _NO if value else is_debug()


def get_load_dotenv(default: bool = True) -> bool:
    """Return False if FLASK_SKIP_DOTENV in the environment says to load no `.env` files; ``default`` without it."""
    value = os.environ.get("FLASK_SKIP_DOTENV")
    return value.lower() in _NO if value else default


def make_response(*args: Any) -> "Response":
    """Return the response that a view returns: of a body, a body and a status, and so on; an empty one for nothing."""
    app = app_ctx.app
    if not args:
        return app.response_class()
    return app.make_response(args[0] if len(args) == 1 else args)


def url_for(
    endpoint: str,
    *,
    _anchor: str | None = None,
    _method: str | None = None,
    _scheme: str | None = None,
    _external: bool | None = None,
    **values: Any,
) -> str:
    """Return the URL of an endpoint, as ``Flask.url_for`` of the current application does."""
    return app_ctx.app.url_for(
        endpoint, _anchor=_anchor, _method=_method, _scheme=_scheme, _external=_external, **values
    )


def redirect(location: str, code: int = 302, Response: "type[BaseResponse] | None" = None) -> "BaseResponse":  # noqa: N803
    """Return a redirect, made by the current application if there is one."""
    ctx = _cv_app.get()
    if ctx is not None and Response is None:
        return ctx.app.redirect(location, code=code)
    return _default_redirect(location, code=code, Response=Response)


def abort(code: "int | BaseResponse", *args: Any, **kwargs: Any) -> NoReturn:
    """Raise the HTTP exception of a status, or with a response as its answer, by the current application's aborter."""
    ctx = _cv_app.get()
    if ctx is not None:
        ctx.app.aborter(code, *args, **kwargs)
    _default_abort(code, *args, **kwargs)


def get_template_attribute(template_name: str, attribute: str) -> Any:
    """Return what a template exports, such as a macro, which Python code calls then."""
    return getattr(current_app.jinja_env.get_template(template_name).module, attribute)


def send_file(
    path_or_file: "os.PathLike[str] | str | IO[bytes]",
    mimetype: str | None = None,
    as_attachment: bool = False,
    download_name: str | None = None,
    conditional: bool = True,
    etag: bool | str = True,
    last_modified: "datetime | int | float | None" = None,
    max_age: "int | Callable[[str | None], int | None] | None" = None,
) -> "Response":
    """Answer with a file: by a trusted path, relative to the application's root, or an open one in binary mode.

    Its name determines the media type, and the name in browsers. ``max_age`` is in seconds, or a function of the path;
    by default what ``Flask.get_send_file_max_age`` returns. Raises as ``werkzeug.utils.send_file``.
    """
    sent: Any = files.send_file(
        path_or_file,
        **_of_application(
            mimetype=mimetype,
            as_attachment=as_attachment,
            download_name=download_name,
            conditional=conditional,
            etag=etag,
            last_modified=last_modified,
            max_age=max_age,
        ),
    )
    return sent  # type: ignore[no-any-return]  # of the application's class


def send_from_directory(
    directory: "os.PathLike[str] | str", path: "os.PathLike[str] | str", **kwargs: Any
) -> "Response":
    """Answer with a file below a directory, by an untrusted path. Raises NotFound if that leads elsewhere.

    The directory is relative to the application's root, and must be trusted. ``kwargs`` are those of ``send_file``.
    """
    sent: Any = files.send_from_directory(directory, path, **_of_application(**kwargs))
    return sent  # type: ignore[no-any-return]  # of the application's class


def _of_application(**kwargs: Any) -> dict[str, Any]:
    """Return the arguments of Werkzeug's functions, with what the application and the request add."""
    app = app_ctx.app
    if kwargs.get("max_age") is None:
        kwargs["max_age"] = app.get_send_file_max_age
    return kwargs | {
        "environ": request_ctx.request.environ,
        "use_x_sendfile": app.config["USE_X_SENDFILE"],
        "response_class": app.response_class,
        "_root_path": app.root_path,
    }


def get_root_path(import_name: str) -> str:
    """Return the folder of a package, or that of a module's file; the current directory for a name without either.

    Raises RuntimeError for a namespace package, which has no file.
    """
    module = sys.modules.get(import_name)
    file: str | None = getattr(module, "__file__", None)
    if file is not None:
        return os.path.dirname(os.path.abspath(file))
    try:
        spec = importlib.util.find_spec(import_name)
    except (ImportError, ValueError):
        spec = None
    if spec is None or spec.loader is None:
        if spec is not None and spec.submodule_search_locations is not None:
            raise _no_root_path(import_name)
        return os.getcwd()
    get_filename = getattr(spec.loader, "get_filename", None)
    file = get_filename(import_name) if get_filename else spec.origin
    if file is None:
        raise _no_root_path(import_name)
    return os.path.dirname(os.path.abspath(file))


def _no_root_path(import_name: str) -> RuntimeError:
    return RuntimeError(
        f"No root path can be found for {import_name!r}: it is a namespace package, or is imported by a hook that names"
        " no file. Pass root_path to the application or blueprint."
    )


if not TYPE_CHECKING:
    __getattr__ = reexports(__name__)
