"""Antiphon, where four read the whole body, one after another: middleware, handler, error handler, and an audit."""

import hmac
from collections.abc import AsyncGenerator, Generator
from hashlib import sha256

from antiphon import App, Request, Response
from benchmarks.upload_apps.antiphon_app import LARGE

SECRET = b"benchmark"
wsgi = App(limits=LARGE)
asgi = App(limits=LARGE)


class FilmError(Exception):
    """What the handler raises."""


def digest(request: Request) -> str:
    found = sha256()
    for chunk in request.stream:
        found.update(chunk)
    return found.hexdigest()


async def digest_async(request: Request) -> str:
    found = sha256()
    async for chunk in request.stream:
        found.update(chunk)
    return found.hexdigest()


audited: list[str] = []
"""The digests that handler and audit have found of the last request; the error handler answers with a third one."""


@wsgi.middleware(loads_body=True)
def signed(request: Request) -> Generator[None, Response, None]:
    audited.clear()
    mac = hmac.new(SECRET, digestmod="sha256")
    for chunk in request.stream:
        mac.update(chunk)
    request.after_response(lambda: audited.append(digest(request)))
    response = yield
    response.headers["x-signature"] = mac.hexdigest()


@wsgi.post("/large")
def large(request: Request) -> str:
    audited.append(digest(request))
    raise FilmError


@wsgi.errorhandler(FilmError)
def report(request: Request, _error: FilmError) -> tuple[str, int]:
    return digest(request), 200


@asgi.middleware(loads_body=True)
async def signed_async(request: Request) -> AsyncGenerator[None, Response]:
    audited.clear()
    mac = hmac.new(SECRET, digestmod="sha256")
    async for chunk in request.stream:
        mac.update(chunk)

    async def audit() -> None:
        audited.append(await digest_async(request))

    request.after_response(audit)
    response = yield
    response.headers["x-signature"] = mac.hexdigest()


@asgi.post("/large")
async def large_async(request: Request) -> str:
    audited.append(await digest_async(request))
    raise FilmError


@asgi.errorhandler(FilmError)
async def report_async(request: Request, _error: FilmError) -> tuple[str, int]:
    return await digest_async(request), 200
