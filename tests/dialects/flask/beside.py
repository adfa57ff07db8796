"""Programs that run on Flask and on the dialect, and are asked the same."""

import asyncio
import re
from collections.abc import Callable, Iterable
from importlib import import_module
from types import ModuleType
from typing import Any

from antiphon.cli.compare import Outcome, masked
from antiphon.features.stores.tagged_json import unpack
from tests.dialects.beside import Asked, answers, assert_alike

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


OF_SERVERS = {"date", "server", "connection", "transfer-encoding", "content-length"}
"""Fields that depend on the interface."""
TIMES = [re.compile(r"(?<=Expires=)[^;]+")]
_signed = re.compile(r"(\w+)=(\.?[\w-]+)\.[\w-]{6}\.[\w-]{27,}").sub
"""Replace the cookies that itsdangerous signs."""


def compared(answer: Outcome) -> Outcome:
    """A response without times and the words of an error page, whose signed cookies have only their data."""
    fields = [
        [name, _signed(lambda found: f"{found[1]}={unpack(found[2].encode())}", value)]
        for name, value in answer["fields"]
    ]
    answer = masked({**answer, "fields": fields}, TIMES)
    if answer["status"] < 400 or ["content-type", "text/html; charset=utf-8"] not in answer["fields"]:
        return answer
    fields = [field for field in answer["fields"] if field[0] != "content-length"]
    return {**answer, "fields": fields, "body": answer["body"].partition("<p>")[0]}


def ask_both(program: Callable[[Package], Any], requests: Iterable[Asked]) -> list[Any]:
    """Return the responses of a program on the dialect, which are those on Flask."""
    requests = [*requests]
    theirs, ours = (answers(waiting(program(Package(name))), requests) for name in BOTH)
    assert_alike(requests, theirs, ours, compared)
    return ours
