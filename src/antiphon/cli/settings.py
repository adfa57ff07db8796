"""Settings from environment variables, or else from the `.env` file in the current directory."""

import os
from pathlib import Path

from antiphon.cli.errors import BadCommand

ENV_FILE = Path(".env")
PREFIX = "ANTIPHON_"


def setting(name: str) -> str | None:
    """Return the value of an environment variable, or else of a variable in `.env`."""
    return os.environ.get(name) or read(ENV_FILE).get(name)


def read(path: Path) -> dict[str, str]:
    """Return the variables in a file; empty if the file is missing. Raises `BadCommand` for a malformed file."""
    if not os.path.exists(path):
        return {}
    from antiphon.environment import EnvFileError, read_env_file  # imported late: many have no such file

    try:
        return read_env_file(path) or {}
    except EnvFileError as error:
        raise BadCommand(str(error)) from None


def add_to_environment(path: Path) -> None:
    """Set the variables from a file, except those already in the environment and this command's settings.

    Raises `BadCommand` for a malformed file.
    """
    for name, value in read(path).items():
        if not name.startswith(PREFIX):
            os.environ.setdefault(name, value)
