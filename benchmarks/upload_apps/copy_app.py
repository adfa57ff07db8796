"""No form is read: the body is copied to a temporary file as it comes, which is the least that can be done."""

from collections.abc import Awaitable, Callable
from tempfile import TemporaryFile
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

from benchmarks.upload_body import CHUNK

HEADERS = [("content-type", "text/plain; charset=utf-8")]


def wsgi(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    source = environ["wsgi.input"]
    left = int(environ["CONTENT_LENGTH"])
    with TemporaryFile(buffering=0) as file:
        while left:
            chunk = source.read(min(left, CHUNK))
            file.write(chunk)
            left -= len(chunk)
        text = str(file.tell()).encode()
    start_response("200 OK", [*HEADERS, ("content-length", str(len(text)))])
    return [text]


async def asgi(
    scope: dict[str, Any],
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    """It blocks the loop for each chunk: to go to a thread would cost more."""
    if scope["type"] != "http":
        raise NotImplementedError(scope["type"])
    if scope["path"] == "/hello":
        text = b"Hello, world!"
    else:
        with TemporaryFile(buffering=0) as file:
            more = True
            while more:
                message = await receive()
                file.write(message["body"])
                more = message["more_body"]
            text = str(file.tell()).encode()
    headers = [(name.encode(), value.encode()) for name, value in (*HEADERS, ("content-length", str(len(text))))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": text})
