"""The servers, each with the command that its documentation has for the first hour."""

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

APPS = Path(__file__).parent / "apps"
PROGRAMS = Path(sys.executable).parent
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "CI", "COLUMNS", "LINES")},
    "PATH": f"{PROGRAMS}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
    "TERM": "xterm-256color",
}


class Server(NamedTuple):
    """A command with `{port}` in it, which serves the module `shop`, and the file that becomes this module."""

    command: str
    app: str
    packages: tuple[str, ...]

    @property
    def name(self) -> str:
        """The command without its app and port."""
        return " ".join(
            word for word in self.command.split() if word not in ("--port", "{port}") and "shop" not in word
        )

    def versions(self) -> str:
        return ", ".join(f"{package} {version(package)}" for package in self.packages)

    def arguments(self, port: int) -> list[str]:
        program, *rest = self.command.format(port=port).split()
        return [str(PROGRAMS / program), *rest]


def servers() -> list[Server]:
    """Return Antiphon's command, and those of others."""
    shown = subprocess.run([PROGRAMS / "antiphon", "run", "--help"], capture_output=True, text=True, check=True).stdout
    reload = "--reload " if "--reload" in shown else ""
    return [
        Server(f"antiphon run {reload}shop:app --port {{port}}", "antiphon_app.py", ("antiphon",)),
        Server("flask --app=shop run --debug --port {port}", "flask_app.py", ("flask", "werkzeug")),
        Server("fastapi dev shop.py --port {port}", "fastapi_app.py", ("fastapi", "fastapi-cli")),
        Server("uvicorn --reload shop:app --port {port}", "starlette_app.py", ("uvicorn", "starlette")),
        Server("granian --reload --interface=asgi shop:app --port {port}", "starlette_app.py", ("granian",)),
        Server("litestar --app=shop:app run --reload --port {port}", "litestar_app.py", ("litestar",)),
    ]
