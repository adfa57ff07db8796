"""Variables of the environment from the files `.env` and `.flaskenv`, read by python-dotenv if it is installed."""

import os
from importlib import import_module
from typing import Any

import click


def load_dotenv(path: str | os.PathLike[str] | None = None, load_defaults: bool = True) -> bool:
    """Set variables of the environment that are not set from a file, and from the nearest `.env` and `.flaskenv`.

    The file comes before `.env`, and that before `.flaskenv`. Returns True if there were any variables; always False
    without python-dotenv.
    """
    try:
        dotenv: Any = import_module("dotenv")
    except ImportError:
        if path or os.path.isfile(".env") or os.path.isfile(".flaskenv"):
            tip = " * The .env files here are read if python-dotenv is installed."
            click.secho(tip, fg="yellow", err=True)
        return False
    paths = [dotenv.find_dotenv(name, usecwd=True) for name in (".flaskenv", ".env")] if load_defaults else []
    if path is not None and os.path.isfile(path):
        paths.append(os.fspath(path))
    values: dict[str, str | None] = {}
    for each in filter(None, paths):
        values |= dotenv.dotenv_values(each, encoding="utf-8")
    for name, value in values.items():
        if value is not None:
            os.environ.setdefault(name, value)
    return bool(values)
