"""Applications and their settings from files such as `development.ini`, read with plaster."""

from typing import Any

from antiphon.dialects.pyramid.scripting import AppEnvironment, prepare


def get_config_loader(config_uri: str) -> Any:
    """Return plaster's loader for a file."""
    import plaster

    return plaster.get_loader(config_uri, protocols=["wsgi"])


def get_app(config_uri: str, name: str | None = None, options: Any = None) -> Any:
    """Return the application configured in a file: in its section `main`, or the one named, possibly after a `#`.

    ``options`` are values for `%(...)s` in the file.
    """
    return get_config_loader(config_uri).get_wsgi_app(name, options)


def get_appsettings(config_uri: str, name: str | None = None, options: Any = None) -> Any:
    """Return the settings of an application in a file."""
    return get_config_loader(config_uri).get_wsgi_app_settings(name, options)


def setup_logging(config_uri: str, global_conf: Any = None) -> None:
    """Configure logging from the sections of a file."""
    get_config_loader(config_uri).setup_logging(global_conf)


def bootstrap(config_uri: str, request: Any = None, options: Any = None) -> AppEnvironment:
    """Create the application that a file defines and make it current: ``prepare``, with ``app``."""
    app = get_app(config_uri, options={"__script__": "bootstrap", **(options or {})})
    env = prepare(request)
    env["app"] = app
    return env
