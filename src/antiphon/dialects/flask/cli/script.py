"""The application that a command works on, and the context in which it does."""

import re
from collections.abc import Callable
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, TypeVar

import click

from antiphon.dialects.flask.cli.finding import NoAppException, locate_app, prepare_import
from antiphon.dialects.flask.globals import current_app
from antiphon.dialects.flask.helpers import get_debug_flag, get_load_dotenv

if TYPE_CHECKING:
    from antiphon.dialects.flask.app import Flask

F = TypeVar("F", bound=Callable[..., Any])

_PATHS = ("wsgi.py", "app.py")
_NO_APP = (
    "There is no Flask application here: name it by `flask --app shop`, or by FLASK_APP, or call its file wsgi.py or"
    " app.py."
)


class ScriptInfo:
    """The application of a command, loaded when it is first needed, and ``data`` that commands share.

    It is made by ``create_app``, or is what ``app_import_path`` names: a module or a path, and perhaps a name or a
    call behind a colon; otherwise it is in `wsgi.py` or `app.py`. Its ``debug`` is set to that of the environment,
    unless ``set_debug_flag`` is False.
    """

    def __init__(
        self,
        app_import_path: str | None = None,
        create_app: "Callable[..., Flask] | None" = None,
        set_debug_flag: bool = True,
        load_dotenv_defaults: bool = True,
    ) -> None:
        self.app_import_path = app_import_path
        self.create_app = create_app
        self.data: dict[Any, Any] = {}
        self.set_debug_flag = set_debug_flag
        self.load_dotenv_defaults = get_load_dotenv(load_dotenv_defaults)
        self._loaded_app: Flask | None = None

    def load_app(self) -> "Flask":
        """Return the application, loaded once. Raises NoAppException."""
        if self._loaded_app is None:
            app = self._found()
            if app is None:
                raise NoAppException(_NO_APP)
            if self.set_debug_flag:
                app.debug = get_debug_flag()
            self._loaded_app = app
        return self._loaded_app

    def _found(self) -> "Flask | None":
        if self.create_app is not None:
            return self.create_app()
        if self.app_import_path:
            path, *name = re.split(r":(?![\\/])", self.app_import_path, maxsplit=1)  # no drive of Windows
            return locate_app(prepare_import(path), name[0] if name else None)
        for path in _PATHS:
            app = locate_app(prepare_import(path), None, raise_if_not_found=False)
            if app is not None:
                return app
        return None


pass_script_info = click.make_pass_decorator(ScriptInfo, ensure=True)


def with_appcontext(f: F) -> F:
    """Run a function in the context of the application. Those of ``app.cli`` are run in it anyway."""

    @click.pass_context
    def in_context(context: click.Context, /, *args: Any, **kwargs: Any) -> Any:
        if not current_app:
            app = context.ensure_object(ScriptInfo).load_app()
            context.with_resource(app.app_context())
        return context.invoke(f, *args, **kwargs)

    return update_wrapper(in_context, f)  # type: ignore[return-value]
