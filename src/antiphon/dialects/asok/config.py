"""Asok's settings: their defaults, the environment variables that override them, and the equivalent native settings."""

import os
from collections.abc import Iterable, Mapping
from typing import Any

from antiphon import App, Limits
from antiphon import env as variables

_WORDS = {"true": True, "false": False, "null": None}


class Env:
    """The environment variables. "true", "false" and "null", in any case, become True, False and None."""

    __slots__ = ()

    def __call__(self, key: str, default: Any = None) -> Any:
        """Return a variable, or ``default`` if it is not set."""
        return self[key] if key in variables else default

    def __getitem__(self, key: str) -> Any:
        """Return a variable. Raises KeyError with a hint if it is not set."""
        text = variables[key]
        return _WORDS.get(text.lower(), text)

    def get(self, key: str, default: Any = None) -> Any:
        """Return a variable, or ``default`` if it is not set."""
        return self(key, default)


env = Env()


DEFAULTS: Mapping[str, Any] = {
    "INDEX": "page",
    "LOCALE": "en",
    "CSRF": True,
    "DEBUG": False,
    "AUTH_MODEL": "User",
    "LOGIN_MESSAGE": "Please log in to access this page.",
    "SECRET_KEY": None,
    "SESSION_MAX_AGE": 86400 * 30,
    "SESSION_BACKEND": "memory",
    "SESSION_PATH": ".asok/sessions",
    "SESSION_TTL": 86400,
    "SESSION_SAMESITE": "Lax",
    "CORS_ORIGINS": None,
    "GZIP": False,
    "GZIP_MIN_SIZE": 500,
    "SECURITY_HEADERS": True,
    "MAX_CONTENT_LENGTH": 10 * 1024 * 1024,
    "TRUSTED_PROXIES": None,
    "ALLOWED_HOSTS": None,
    "STRICT_VARIABLES": True,
    "HEALTHCHECK_ENABLED": True,
}
"""The settings, with their default values."""

_TRUE = ("true", "1", "yes", "on")


def configured(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the settings, overridden by environment variables with the same names, or with the prefix ``ASOK_``.

    Each text is converted to the type of the default if that is a number or a Boolean. Text that is not a number is
    ignored.
    """
    config = dict(DEFAULTS)
    for name, default in DEFAULTS.items():
        text = environ.get(f"ASOK_{name}", environ.get(name))
        if text is not None:
            config[name] = _read(text, default)
    return config


def _read(text: str, default: Any) -> Any:
    if isinstance(default, bool):
        return text.lower() in _TRUE
    if isinstance(default, int):
        return int(text) if text.strip().isdecimal() else default
    return text


def native_settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the equivalent settings of the native application: ``App(**native_settings(config))``.

    Raises ValueError if ``TRUSTED_PROXIES`` is "*", since any client could then forge its address.
    """
    key = config["SECRET_KEY"]
    return {
        "limits": Limits(body=config["MAX_CONTENT_LENGTH"]),
        "redirect_slashes": True,
        "secret_keys": [key] if key else (),
        "trusted_proxies": _list(config["TRUSTED_PROXIES"]),
        "trusted_hosts": [host for host in _list(config["ALLOWED_HOSTS"]) if host != "*"],
    }


def install_settings(config: Mapping[str, Any], native: App) -> None:
    """Enable the native features that the ``CORS_ORIGINS`` and ``GZIP`` settings ask for."""
    if config["GZIP"]:
        from antiphon.features import Compression

        native.use(Compression(["gzip"], min_size=config["GZIP_MIN_SIZE"]))
    if origins := _list(config["CORS_ORIGINS"]):
        from antiphon.features import CORS

        headers = ["content-type", "x-csrf-token", "x-block"]
        native.use(CORS(origins, headers=headers, credentials="*" not in origins))


def _list(value: str | Iterable[str] | None) -> list[str]:
    """Return a list setting, which the environment gives as comma-separated text."""
    parts = value.split(",") if isinstance(value, str) else value or ()
    return [part.strip() for part in parts if part.strip()]


def folder_of(root: str, relative: str) -> str | None:
    """Return the path of one of the project's folders; None if it does not exist."""
    path = os.path.join(root, relative)
    return path if os.path.isdir(path) else None
