"""Programs that run on Flask and on the dialect, and are asked the same."""

import re
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any

from werkzeug.test import Client

FLASK, DIALECT = "flask", "antiphon.dialects.flask"
BOTH = (FLASK, DIALECT)


class Package:
    """Flask, or the dialect: its names, and those of its modules."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __getattr__(self, name: str) -> Any:
        return getattr(import_module(self.name), name)

    def module(self, name: str) -> ModuleType:
        return import_module(f"{self.name}.{name}")


def ask(app: Any, requests: Iterable[tuple[str, Mapping[str, Any]] | str]) -> list[tuple[str, list[Any], bytes]]:
    """Return the answers of an application to requests by one browser, without times."""
    client = Client(app)
    answers = []
    for each in requests:
        path, options = (each, {}) if isinstance(each, str) else each
        with client.open(path, **options) as response:
            headers = [(name, re.sub(r"Expires=[^;]+", "Expires=?", value)) for name, value in response.headers]
            answers.append((response.status, sorted(headers), response.get_data()))
    return answers


def _compared(answer: tuple[str, list[Any], bytes]) -> Any:
    """An answer without the words of an error page."""
    status, headers, _ = answer
    if status < "400" or ("Content-Type", "text/html; charset=utf-8") not in headers:
        return answer
    return status, [header for header in headers if header[0] != "Content-Length"]


def ask_both(program: Callable[[Package], Any], requests: Iterable[Any]) -> list[tuple[str, list[Any], bytes]]:
    """Return the answers of a program on the dialect, which are those on Flask."""
    requests = [*requests]
    theirs, ours = (ask(program(Package(name)), requests) for name in BOTH)
    for request, expected, got in zip(requests, theirs, ours, strict=True):
        assert _compared(got) == _compared(expected), request
    return ours
