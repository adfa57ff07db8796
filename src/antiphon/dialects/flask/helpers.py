"""Helpers for views (URLs, redirects, errors, responses, files and messages), for settings, and for package paths."""

import os
import sys
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, NoReturn, overload
from urllib.parse import quote

from antiphon import is_debug
from antiphon.dialects.flask.globals import _cv_app, app_ctx, current_app, request_ctx, session
from antiphon.dialects.flask.imports import reexports
from antiphon.dialects.flask.running import stream_with_context
from antiphon.dialects.flask.signals import message_flashed
from antiphon.dialects.werkzeug import utils
from antiphon.dialects.werkzeug.exceptions.statuses import abort as _default_abort
from antiphon.dialects.werkzeug.routing.exceptions import BuildError
from antiphon.dialects.werkzeug.utils import redirect as _default_redirect

if TYPE_CHECKING:
    from antiphon.dialects.flask.app import Flask
    from antiphon.dialects.flask.wrappers import Response
    from antiphon.dialects.werkzeug.routing.adapter import MapAdapter
    from antiphon.dialects.werkzeug.wrappers.response import Response as BaseResponse


def get_root_path(import_name: str) -> str:
    """Return the folder of a package or module. For any other name, return the current directory.

    Raises RuntimeError for a namespace package, which has no file.
    """
    module = sys.modules.get(import_name)
    file: str | None = getattr(module, "__file__", None)
    if file is not None:
        return os.path.dirname(os.path.abspath(file))
    try:
        spec = find_spec(import_name)
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


def find_package(import_name: str) -> tuple[str | None, str]:
    """Return the prefix under which a package is installed, or None, and the package's folder."""
    folder = _folder_of(import_name)
    prefix = os.path.abspath(sys.prefix)
    if Path(folder).is_relative_to(prefix):
        return prefix, folder
    parent, name = os.path.split(folder)
    if name.lower() != "site-packages":
        return None, folder
    above, lib = os.path.split(parent)
    if lib.lower() == "lib":  # as on Windows
        return above, folder
    if os.path.basename(above).lower() == "lib":  # lib/python3.11
        return os.path.dirname(above), folder
    return parent, folder


def _folder_of(import_name: str) -> str:
    """Return the folder of a package, or of a module's package; the working directory if neither is found."""
    root = import_name.partition(".")[0]
    try:
        spec = find_spec(root)
    except (ImportError, ValueError):
        spec = None
    if spec is None:
        return os.getcwd()
    if not spec.submodule_search_locations:
        return os.path.dirname(spec.origin or "")
    if spec.origin not in (None, "namespace"):
        return os.path.dirname(os.path.dirname(str(spec.origin)))
    return os.path.dirname(_portion(spec.submodule_search_locations, import_name))


def _portion(places: list[str], import_name: str) -> str:
    """Return the portion of a namespace package (PEP 420) that contains the given package."""
    spec = find_spec(import_name)
    if spec is not None and spec.submodule_search_locations:
        inner = Path(os.path.commonpath(spec.submodule_search_locations))
        for place in places:
            if inner.is_relative_to(place):
                return place
    return places[0]


_ANCHOR_SAFE = "%!#$&'()*+,/:;=?@"


def url_of(
    app: "Flask",
    endpoint: str,
    values: dict[str, Any],
    anchor: str | None,
    method: str | None,
    scheme: str | None,
    is_external: bool | None,
) -> str:
    """Build the URL of an endpoint from values: see ``Flask.url_for``."""
    ctx = _cv_app.get()
    holder = None if ctx is None else ctx.holder
    adapter: MapAdapter | None
    if holder is not None:
        adapter = holder.url_adapter
        if endpoint[:1] == ".":
            endpoint = f"{holder.request.blueprint or ''}{endpoint}".lstrip(".")
        external = scheme is not None if is_external is None else is_external
    else:
        adapter = app.create_url_adapter(None) if ctx is None else ctx.url_adapter
        external = True if is_external is None else is_external
    if adapter is None:
        raise RuntimeError(
            "Outside of a request, a URL's server is unknown: set 'SERVER_NAME', and also 'APPLICATION_ROOT'"
            " and 'PREFERRED_URL_SCHEME' unless they are / and http."
        )
    if scheme is not None and not external:
        raise ValueError("'_scheme' needs a whole URL: omit '_external' or set it to True")
    app.inject_url_defaults(endpoint, values)
    try:
        url = adapter.build(endpoint, values, method=method, url_scheme=scheme, force_external=external)
    except BuildError as error:
        values.update(_anchor=anchor, _method=method, _scheme=scheme, _external=external)
        return app.handle_url_build_error(error, endpoint, values)
    return url if anchor is None else f"{url}#{quote(anchor, safe=_ANCHOR_SAFE)}"


__all__ = [
    "abort", "flash", "get_debug_flag", "get_flashed_messages", "get_load_dotenv", "get_root_path",
    "get_template_attribute", "make_response", "redirect", "send_file", "send_from_directory",
    "stream_with_context", "url_for",
]  # fmt: skip


_NO = ("0", "false", "no")

_FLASHES = "_flashes"
"""The session key of the messages."""


def get_debug_flag() -> bool:
    """Return True if FLASK_DEBUG turns debug mode on or, when it is not set, `antiphon run --debug` does."""
    value = os.environ.get("FLASK_DEBUG")
    return value.lower() not in _NO if value else is_debug()


def get_load_dotenv(default: bool = True) -> bool:
    """Return False if FLASK_SKIP_DOTENV disables loading `.env` files, or ``default`` if it is not set."""
    value = os.environ.get("FLASK_SKIP_DOTENV")
    return value.lower() in _NO if value else default


def make_response(*args: Any) -> "Response":
    """Make a response from values that a view could return. Without any, the response is empty."""
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
    """Return an endpoint's URL, as built by ``Flask.url_for`` of the current application."""
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
    """Raise the HTTP exception for a status, or with the given response, using the current application's aborter."""
    ctx = _cv_app.get()
    if ctx is not None:
        ctx.app.aborter(code, *args, **kwargs)
    _default_abort(code, *args, **kwargs)


def get_template_attribute(template_name: str, attribute: str) -> Any:
    """Return a name that a template exports, such as a macro, for use in Python code."""
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
    """Return a response with a file, given as an object open in binary mode or a trusted path in the app's root.

    The file's name determines the media type and the name that browsers show. ``max_age`` is a number of seconds or a
    function of the path; it defaults to the result of ``Flask.get_send_file_max_age``. Raises the same errors as
    ``werkzeug.utils.send_file``.
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
    return sent  # type: ignore[no-any-return]  # of the application's response class


def send_from_directory(
    directory: "os.PathLike[str] | str", path: "os.PathLike[str] | str", **kwargs: Any
) -> "Response":
    """Return a response with a file in a directory, given by an untrusted path. Raises NotFound outside the directory.

    The directory must be trusted, and is relative to the application's root. ``kwargs`` are passed to ``send_file``.
    """
    sent: Any = utils.send_from_directory(directory, path, **_of_application(**kwargs))
    return sent  # type: ignore[no-any-return]  # of the application's response class


def _of_application(**kwargs: Any) -> dict[str, Any]:
    """Return arguments for Werkzeug's functions: the given ones and those from the application and request."""
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
    """Store a message in the session until a page displays it. Sends the ``message_flashed`` signal."""
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
    """Remove the messages from the session and return them. Repeated calls in a request return the same messages.

    With ``with_categories``, each message is a tuple of category and text. ``category_filter`` lists the categories to
    include.
    """
    flashes = request_ctx.flashes
    if flashes is None:
        flashes = request_ctx.flashes = session.pop(_FLASHES) if _FLASHES in session else []
    chosen = (category_filter,) if isinstance(category_filter, str) else tuple(category_filter)
    found = [(category, text) for category, text in flashes if not chosen or category in chosen]
    return found if with_categories else [text for _, text in found]


@lru_cache(maxsize=1024)
def parents_of(name: str) -> list[str]:
    """Return a blueprint's name and those of its parents: for `a.b`, `a.b` and `a`."""
    names = [name]
    while "." in name:
        name = name.rpartition(".")[0]
        names.append(name)
    return names


_split_blueprint_path = parents_of  # its name in Flask


if not TYPE_CHECKING:
    __getattr__ = reexports(__name__)
