"""A program, its document, and the answers to its requests."""

import contextlib
import importlib.util
import itertools
import logging
import os
import pickle
import re
import signal
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from antiphon.features.openapi.document import Info, make_document
from antiphon.testing import Client
from tests.random_handlers import site
from tests.random_handlers.checking import Lie, Sent, lies_in, untold_parameters, wrongly_required
from tests.random_handlers.making import Input, Program

_counter = itertools.count()
_REQUEST_ID = re.compile(rb',?"request_id":"[^"]*"')


class Result(NamedTuple):
    """What a program showed: lies, what its document calls unknown, and the number of answers."""

    lies: tuple[Lie, ...] = ()
    unknown: tuple[str, ...] = ()
    answered: int = 0
    is_broken: bool = False
    """True for a program that can't be imported."""


def result_of(program: Program, folder: Path) -> Result:
    """Run a program and compare its answers with its document."""
    site.STATE.clear()
    name = f"random_handler_{next(_counter)}"
    try:
        module = _imported(program.source, name, folder)
    except Exception:
        return Result(is_broken=True)
    try:
        with _no_longer_than(2):
            return _compared(program, module)
    except _TooLongError:
        return Result(is_broken=True)
    finally:
        sys.modules.pop(name, None)


def apart(program: Program, folder: Path) -> Result:
    """Return the result of a program in a process of its own, which it can't spoil for others."""
    reading, writing = os.pipe()
    if not (child := os.fork()):
        made = Result(is_broken=True)
        with contextlib.suppress(BaseException):
            made = result_of(program, folder)
        with os.fdopen(writing, "wb") as file:
            pickle.dump(made, file)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as file:
        content = file.read()
    os.waitpid(child, 0)
    return pickle.loads(content) if content else Result(is_broken=True)


class _TooLongError(BaseException):
    """The error for a program that does not end."""


@contextlib.contextmanager
def _no_longer_than(seconds: float) -> Iterator[None]:
    def stop(*_: object) -> None:
        raise _TooLongError

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds, seconds)  # again, since what calls a finalizer ignores its errors
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _imported(source: str, name: str, folder: Path) -> ModuleType:
    file = folder / f"{name}.py"
    file.write_text(source, "utf-8")
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(name)
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module


def _compared(program: Program, module: ModuleType) -> Result:
    if not hasattr(module, "app"):
        return Result(is_broken=True)
    try:
        document = make_document(module.app, Info("Random"))
        paths = document.content["paths"]
        (operation,) = next(iter(paths.values())).values()
    except Exception as error:
        return Result((Lie("crash", f"{type(error).__name__}: {error}"[:200], ""),))
    sent = _answers(program, module.app)
    lies: list[Lie] = []
    if not document.unknown:
        named = [(each.place, each.name) for each in program.inputs]
        lies += lies_in(document.content, operation, sent)
        if _is_stable(program, module.app, sent):
            lies += untold_parameters(operation, named, sent)
        if not re.search(
            "middleware|errorhandler|after_request|before|on_response", program.source
        ):  # which may answer instead
            lies += wrongly_required(operation, named, sent)
    kept = tuple({(each.kind, each.told, each.happened): each for each in lies}.values())
    return Result(kept, tuple(document.unknown), len(sent))


def _answers(program: Program, app: Any) -> list[Sent]:
    with _client(app) as (client, failures):
        return [_respond(client, failures, program, values) for values in program.requests()]


def _is_stable(program: Program, app: Any, sent: list[Sent]) -> bool:
    """Return True if the first request is answered as before."""
    with _client(app) as (client, failures):
        return _respond(client, failures, program, sent[0].values) == sent[0]


class _Failures(logging.Handler):
    """The mistakes of a program, which its application logs."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.count += record.exc_info is not None


@contextlib.contextmanager
def _client(app: Any) -> Iterator[tuple[Client, _Failures]]:
    failures, root = _Failures(), logging.getLogger()
    before, root.handlers = root.handlers, [failures]
    try:
        with warnings.catch_warnings(), Client(app, "wsgi", raise_errors=False, follow_redirects=False) as client:
            warnings.simplefilter("ignore")
            yield client, failures
    finally:
        root.handlers = before


def _respond(client: Client, failures: _Failures, program: Program, values: tuple[object, ...]) -> Sent:
    path, options = "/h", _options(program.inputs, values)
    if (number := options.pop("number", None)) is not None:
        path = f"/h/{number}"
    before = failures.count
    try:
        response = client.request(program.method, path, **options)
        body = _REQUEST_ID.sub(b"", response.body)
    except Exception:  # a stream that breaks off
        return Sent(values, 500, "", b"")
    media = (response.headers.get("content-type") or "").partition(";")[0].strip().lower()
    return Sent(values, response.status if failures.count == before else 500, media, body)


def _options(inputs: tuple[Input, ...], values: tuple[object, ...]) -> dict[str, Any]:
    options: dict[str, Any] = {"params": {}, "headers": {}, "cookies": {}}
    places = {"query": "params", "header": "headers", "cookie": "cookies"}
    for each, value in zip(inputs, values, strict=True):
        if value is None:
            continue
        if each.place == "path":
            options["number"] = value
        elif each.place == "body" and isinstance(value, tuple):
            kind, content = value
            media = "application/json" if kind == "raw" else kind
            options |= {kind: content} if kind in ("json", "form") else {"body": content, "content_type": media}
        else:
            options[places[each.place]][each.name] = value
    return options
