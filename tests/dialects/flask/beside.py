"""Programs that run on Flask and on the dialect, and are asked the same."""

import asyncio
import re
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any

from werkzeug.test import Client

from antiphon.features.stores.tagged_json import unpack

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


def waiting(app: Any) -> Any:
    """An application that waits for its async functions: Flask does so by a package that may not be there."""
    if type(app).__module__.startswith(FLASK):
        app.async_to_sync = lambda function: lambda *arguments, **named: asyncio.run(function(*arguments, **named))
    return app


def ask(
    app: Any, requests: Iterable[tuple[str, Mapping[str, Any]] | str], cookies: Mapping[str, str] = {}
) -> list[tuple[str, list[Any], bytes]]:
    """Return the answers of an application to requests by one browser with these cookies, without times."""
    client = Client(waiting(app))
    for name, value in cookies.items():
        client.set_cookie(name, value)
    answers = []
    for each in requests:
        path, options = (each, {}) if isinstance(each, str) else each
        with client.open(path, **options) as response:
            headers = sorted((name, timeless(name, value)) for name, value in response.headers)
            answers.append((response.status, headers, response.get_data()))
    return answers


_signed = re.compile(r"(\w+)=(\.?[\w-]+)\.[\w-]{6}\.[\w-]{27,}").sub
"""Replace the cookies that itsdangerous signs."""


def timeless(name: str, value: str) -> str:
    """The value of a header without times and signatures, of which nothing depends on the order of a set."""
    if name.lower() == "allow":
        return ", ".join(sorted(value.split(", ")))
    if name.lower() != "set-cookie":
        return value
    value = _signed(lambda found: f"{found[1]}={unpack(found[2].encode())}", value)
    return re.sub(r"Expires=[^;]+", "Expires=?", value)


def _compared(answer: tuple[str, list[Any], bytes]) -> Any:
    """An answer without the words of an error page."""
    status, headers, _ = answer
    if status < "400" or ("Content-Type", "text/html; charset=utf-8") not in headers:
        return answer
    return status, [header for header in headers if header[0] != "Content-Length"]


def ask_both(
    program: Callable[[Package], Any], requests: Iterable[Any], cookies: Mapping[str, str] = {}
) -> list[tuple[str, list[Any], bytes]]:
    """Return the answers of a program on the dialect, which are those on Flask."""
    requests = [*requests]
    theirs, ours = (ask(program(Package(name)), requests, cookies) for name in BOTH)
    for request, expected, got in zip(requests, map(_compared, theirs), map(_compared, ours), strict=True):
        assert got == expected, f"{request}: {got} in place of {expected}"
    return ours
