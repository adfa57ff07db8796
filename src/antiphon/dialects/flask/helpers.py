"""Helpers for views: URLs, redirects, errors, responses, files and messages, and settings from the environment."""

import os
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import lru_cache
from typing import IO, TYPE_CHECKING, Any, Literal, NoReturn, overload

from antiphon import is_debug
from antiphon.dialects.flask.globals import _cv_app, app_ctx, current_app, request_ctx, session
from antiphon.dialects.flask.imports import reexports
from antiphon.dialects.flask.packages import get_root_path
from antiphon.dialects.flask.signals import message_flashed
from antiphon.dialects.flask.streams import stream_with_context
from antiphon.dialects.werkzeug import utils
from antiphon.dialects.werkzeug.exceptions.aborter import abort as _default_abort
from antiphon.dialects.werkzeug.utils import redirect as _default_redirect

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

_FLASHES = "_flashes"
"""The name of the messages in the session."""


def get_debug_flag() -> bool:
    """Return True if FLASK_DEBUG in the environment, or else `antiphon run --debug`, switches the debug mode on."""
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
    """Return an export of a template, such as a macro, for Python code to call."""
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
    sent: Any = utils.send_file(
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
    """Answer with a file below a directory, by an untrusted path. Raises NotFound if that leads out of it.

    The directory is relative to the application's root, and must be trusted. ``kwargs`` are those of ``send_file``.
    """
    sent: Any = utils.send_from_directory(directory, path, **_of_application(**kwargs))
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


def flash(message: str, category: str = "message") -> None:
    """Keep a message in the session, until a page asks for it. The signal ``message_flashed`` is sent."""
    session[_FLASHES] = [*session.get(_FLASHES, ()), (category, message)]
    app = app_ctx.app
    message_flashed.send(app, _async_wrapper=app.ensure_sync, message=message, category=category)


@overload
def get_flashed_messages(with_categories: Literal[False] = False, category_filter: Iterable[str] = ()) -> list[str]: ...
@overload
def get_flashed_messages(
    with_categories: Literal[True], category_filter: Iterable[str] = ()
) -> list[tuple[str, str]]: ...
@overload
def get_flashed_messages(
    with_categories: bool = False, category_filter: Iterable[str] = ()
) -> list[str] | list[tuple[str, str]]: ...
def get_flashed_messages(
    with_categories: bool = False, category_filter: Iterable[str] = ()
) -> list[str] | list[tuple[str, str]]:
    """Take the messages out of the session, and return them, the same ones at each call in a request.

    ``with_categories`` has each in a tuple after its category; ``category_filter`` leaves out all other categories.
    """
    flashes = request_ctx.flashes
    if flashes is None:
        flashes = request_ctx.flashes = session.pop(_FLASHES) if _FLASHES in session else []
    chosen = (category_filter,) if isinstance(category_filter, str) else tuple(category_filter)
    found = [(category, text) for category, text in flashes if not chosen or category in chosen]
    return found if with_categories else [text for _, text in found]


@lru_cache(maxsize=1024)
def parents_of(name: str) -> list[str]:
    """Return a blueprint's name, followed by those of the blueprints around it: `a.b`, `a`."""
    names = [name]
    while "." in name:
        name = name.rpartition(".")[0]
        names.append(name)
    return names


_split_blueprint_path = parents_of  # its name in Flask


if not TYPE_CHECKING:
    __getattr__ = reexports(__name__)
