"""Loading applications and their settings from files such as `development.ini` with plaster."""

from typing import Any

from antiphon.dialects.pyramid.scripting import AppEnvironment, prepare
from antiphon.dialects.pyramid.scripts.common import get_config_loader


def get_app(config_uri: str, name: str | None = None, options: Any = None) -> Any:
    """Return the application configured in a file.

    The `main` section is used unless ``name``, or a name after `#`, selects another. ``options`` are the values for
    `%(...)s` in the file.
    """
    return get_config_loader(config_uri).get_wsgi_app(name, options)


def get_appsettings(config_uri: str, name: str | None = None, options: Any = None) -> Any:
    """Return an application's settings from a file."""
    return get_config_loader(config_uri).get_wsgi_app_settings(name, options)


def setup_logging(config_uri: str, global_conf: Any = None) -> None:
    """Configure logging as specified in a file."""
    get_config_loader(config_uri).setup_logging(global_conf)


def bootstrap(config_uri: str, request: Any = None, options: Any = None) -> AppEnvironment:
    """Make the application in a file and make it current, as ``prepare`` does. The result includes ``app``."""
    app = get_app(config_uri, options={"__script__": "bootstrap", **(options or {})})
    env = prepare(request)
    env["app"] = app
    return env
