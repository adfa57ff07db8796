"""Results of tools: the application's responses in words and forms that a model can use, whole or as progress."""

import re
from asyncio import CancelledError
from base64 import b64encode
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import aclosing
from html import unescape
from typing import Any

from antiphon.concurrency.process import GRACE_OVER
from antiphon.features.tools.definitions import Definition
from antiphon.features.tools.protocol import Message, result_message
from antiphon.handler.cancellation import CancellableHandler
from antiphon.handler.contract import log_failure
from antiphon.handler.errors import PROBLEM
from antiphon.http.errors import BadRequest, ClientDisconnected, Forbidden, HTTPError, Unauthorized
from antiphon.http.event import Event
from antiphon.http.status import phrase
from antiphon.request.request import Request
from antiphon.response.fields import JSON, NDJSON
from antiphon.response.response import Response
from antiphon.serialization.json import decode_json, encode_json

_DEEPEST = 60
_LONGEST_PAGE = 4000
"""The number of bytes of an error page to read."""
_tags = re.compile(r"<(style|script|title)\b.*?</\1\s*>|<[^<>]*>", re.DOTALL | re.IGNORECASE)
_MEDIA = {"image": "image", "audio": "audio"}


class TooLarge(Exception):
    """A response with more bytes than a model should read."""


async def body_of(request: Request, response: Response, largest: int) -> bytes:
    """Return a response's body and close the response. Raises TooLarge for more than ``largest`` bytes, and
    ClientDisconnected when the client of ``request`` has left a stream, which ends as it does without the call.
    """
    body = response.body
    if isinstance(body, bytes):
        if len(body) > largest:
            raise TooLarge
        return body
    read = bytearray()
    with CancellableHandler(request, True):
        async with aclosing(chunks_of(response)) as chunks:
            async for chunk in chunks:
                read += chunk
                if len(read) > largest:
                    raise TooLarge
                if request.lifetime.is_client_gone:  # over WSGI, nothing is told
                    raise ClientDisconnected("The client disconnected before the response.")
    return bytes(read)


async def chunks_of(response: Response) -> AsyncGenerator[bytes]:
    """Yield the chunks of a streamed response, and always close it."""
    body: Any = response.body
    try:
        async for chunk in body:
            yield chunk
    finally:
        await body.aclose()


def failure(text: str) -> dict[str, Any]:
    """Return a result that tells the model what is wrong."""
    return {"content": [{"type": "text", "text": text}], "isError": True}


def broken_off() -> dict[str, Any]:
    """Return the result of a call whose response failed after it had begun."""
    return failure("500 Internal Server Error")


def too_large(largest: int) -> dict[str, Any]:
    """Return the result of a call whose response is too large."""
    return failure(
        f"The result has more than {largest} bytes. Ask for less: a smaller page, fewer fields, or a narrower search."
    )


def result_of(
    definition: Definition, request: Request, response: Response, body: bytes, *, is_modern: bool
) -> dict[str, Any]:
    """Return a call's result, made from the application's whole response."""
    media = (response.content_type or "").partition(";")[0].strip().lower()
    if response.status >= 400:
        return failure(words_of(response, media, body))
    if media == NDJSON:
        media, body = JSON, encode_json([decode_json(line, _DEEPEST) for line in body.splitlines() if line.strip()])
    content = _content(response, media, body)
    if link := _location(request, response):
        content.append({"type": "text", "text": f"Location: {link}"})
    made: dict[str, Any] = {"content": content, "isError": False}
    if media == JSON and body:
        value = decode_json(body, _DEEPEST)
        if isinstance(value, dict) or (is_modern and definition.result is not None):
            made["structuredContent"] = value
    return made


def _content(response: Response, media: str, body: bytes) -> list[dict[str, Any]]:
    kind = _MEDIA.get(media.partition("/")[0])
    if kind is not None:
        return [{"type": kind, "data": b64encode(body).decode(), "mimeType": media}]
    if not body:
        return [{"type": "text", "text": f"{response.status} {phrase(response.status)}"}]
    text = text_of(media, body)
    if text is None:
        return [{"type": "text", "text": f"{len(body)} bytes of {media or 'an unknown type'}, which are not text."}]
    return [{"type": "text", "text": text}]


def text_of(media: str, body: bytes) -> str | None:
    """Return a body as text, or None if it is not text."""
    is_text = media.startswith("text/") or media == JSON or media.endswith(("+json", "+xml"))
    try:
        return body.decode() if is_text else None
    except UnicodeDecodeError:
        return body.decode("latin-1")


def _location(request: Request, response: Response) -> str | None:
    """Return the path on this site to which a response redirects, or None if it doesn't redirect, or redirects to
    another site.
    """
    given = response.headers.get("location")
    if given is None:
        return None
    url = request.url.join(given)
    return url.target if url.origin == request.url.origin else None


def words_of(response: Response, media: str, body: bytes) -> str:
    """Return an error as lines: first the failure, then each invalid field with its JSON Pointer."""
    first = f"{response.status} {phrase(response.status)}"
    if media != PROBLEM:
        is_told = response.status < 500 and media in ("text/plain", "text/html", JSON)
        return f"{first}\n{_plain(media, body)}" if is_told else first
    try:
        problem = decode_json(body, _DEEPEST)
    except BadRequest:
        return first
    if not isinstance(problem, dict):
        return first
    title, detail = problem.get("title"), problem.get("detail")
    lines = [f"{response.status} {title}" if isinstance(title, str) else first]
    lines += [detail] if isinstance(detail, str) and response.status < 500 else []
    return "\n".join([*lines, *_faults(problem.get("errors"))])


def _plain(media: str, body: bytes) -> str:
    """Return the beginning of an error's body as text, without the tags of a page."""
    text = body[:_LONGEST_PAGE].decode("utf-8", "replace")
    if media != "text/html":
        return text.strip()
    text = _tags.sub(" ", text)
    return " ".join(unescape(text).split())


def _faults(errors: object) -> Iterable[str]:
    for each in errors if isinstance(errors, list) else ():
        if isinstance(each, dict):
            yield f"{each.get('pointer') or '/'}: {each.get('detail')}"


def is_for_the_client(response: Response) -> bool:
    """True for a response about the client's login. It must reach the client itself, since a model can't log in."""
    return response.status == 401 or (response.status == 403 and "www-authenticate" in response.headers)


def login_error(response: Response) -> HTTPError:
    """Return the error that asks the client to log in or to get more rights, with the response's challenges."""
    is_login = response.status == 401
    fields = {"www-authenticate": ", ".join(response.headers.getall("www-authenticate"))}
    detail = "Log in first." if is_login else "The token does not have the rights that this call needs."
    return (Unauthorized if is_login else Forbidden)(detail, headers=fields)


async def progress(
    request: Request, message: Message, definition: Definition, response: Response, largest: int
) -> AsyncIterator[Event]:
    """Yield a notification for each value of a stream, and finally the result with all of them.

    A client that has seen enough closes the stream, which ends the handler.
    """
    read, told, count = bytearray(), 0, 0
    try:
        async with aclosing(chunks_of(response)) as chunks:
            async for chunk in chunks:
                read += chunk
                if len(read) > largest:
                    yield _event(result_message(message, too_large(largest)))
                    return
                while (end := read.find(b"\n", told)) >= 0:
                    line, told = bytes(read[told:end]), end + 1
                    if line.strip():
                        count += 1
                        yield _event(_notification(message, count, line.decode()))
    except (Exception, CancelledError) as error:
        if isinstance(error, Exception):
            log_failure(request, error)
        elif not GRACE_OVER.is_given:
            raise
        yield _event(result_message(message, broken_off()))
        return
    result = result_of(definition, request, response, bytes(read), is_modern=message.is_modern)
    yield _event(result_message(message, result))


def _notification(message: Message, count: int, text: str) -> dict[str, Any]:
    params = {"progressToken": message.meta["progressToken"], "progress": count, "message": text}
    return {"jsonrpc": "2.0", "method": "notifications/progress", "params": params}


def _event(message: dict[str, Any]) -> Event:
    return Event(encode_json(message).decode(), event="message")
