"""Results of tools: the application's responses in words and forms that a model can use."""

import asyncio
import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import aclosing, suppress
from html import unescape
from itertools import chain
from typing import Any, NamedTuple

from antiphon import HTTPError, Request, Response, explained
from antiphon.embedding import decode_json, encode_json, until_left
from antiphon.features.openapi.code.responses import JSON, NDJSON, PROBLEM
from antiphon.features.openapi.operations import phrase_of
from antiphon.features.tools.definitions import ITEMS, Definition
from antiphon.http import (
    BadRequest,
    ClientDisconnected,
    Forbidden,
    Headers,
    Link,
    MediaType,
    Unauthorized,
    parse_links,
    parse_query,
)

_DEEPEST = 60
_LONGEST_PAGE = 4000
"""The number of bytes of an error page to read."""
_tags = re.compile(r"<(style|script|title)\b.*?</\1\s*>|<[^<>]*>", re.DOTALL | re.IGNORECASE)
MULTIPART = "multipart/mixed"
_VERSIONS = ("ETag", "Last-Modified")
"""The fields that later calls can repeat in their conditions."""
_LONGEST_TOTAL = 16


class CalledTool(NamedTuple):
    """The result of ``Tools.call``: ``text``, which the model reads, and ``data``, the structured content or None.
    Provisional.
    """

    text: str
    data: Any
    is_error: bool
    """True for an error that tells the model what to change."""
    content: list[dict[str, Any]]
    """The content blocks, as the Model Context Protocol has them."""

    @classmethod
    def of(cls, result: dict[str, Any]) -> "CalledTool":
        """Return a result of the protocol as an object."""
        content = result["content"]
        text = "\n".join([each["text"] for each in content if each["type"] == "text"])
        return cls(text, result.get("structuredContent"), bool(result.get("isError")), content)


class TooLarge(Exception):
    """A response with more bytes than a model should read."""


async def body_of(
    request: Request, response: Response, largest: int, tell: Callable[[str], object] | None = None
) -> bytes:
    """Return a response's body and close the response. ``tell`` is called with each line of a stream.

    Raises TooLarge for more than ``largest`` bytes, and ClientDisconnected when the client of ``request`` has left a
    stream, which ends as it does without the call.
    """
    body = response.body
    if isinstance(body, bytes):
        if len(body) > largest:
            raise TooLarge
        return body
    read, told = bytearray(), 0
    lifetime = request.lifetime
    leaving = until_left(body, lambda: lifetime.is_client_gone)
    async with asyncio.timeout(lifetime.remaining), aclosing(leaving) as chunks:
        async for chunk in chunks:
            read += chunk
            if len(read) > largest:
                raise TooLarge
            while tell is not None and (end := read.find(b"\n", told)) >= 0:
                line, told = bytes(read[told:end]), end + 1
                if line.strip():
                    tell(line.decode())
    if lifetime.is_client_gone:
        raise ClientDisconnected("The client disconnected before the response.")
    return bytes(read)


def failure(text: str) -> dict[str, Any]:
    """Return a result that tells the model what is wrong."""
    return {"content": [{"type": "text", "text": text}], "isError": True}


def broken_off(request: Request) -> dict[str, Any]:
    """Return the result of a call whose response failed after it had begun."""
    return failure(f"500 Internal Server Error\n{_with_id(request)}")


def _with_id(request: Request) -> str:
    return f"The request's id, by which the site's operators find the error: {request.id}"


def too_large(largest: int) -> dict[str, Any]:
    """Return the result of a call whose response is too large."""
    return failure(
        f"The result has more than {largest} bytes. Ask for less: a smaller page, fewer fields, or a narrower search."
    )


def result_of(
    definition: Definition, request: Request, arguments: Mapping[str, Any], response: Response, body: bytes, *,
    is_modern: bool,
) -> dict[str, Any]:  # fmt: skip
    """Return the result of a call with ``arguments``, made from the application's whole response to ``request``."""
    media = media_of(response)
    if response.status >= 400:
        return failure(words_of(request, response, media, body))
    if media == NDJSON:
        media, body = JSON, encode_json([decode_json(line, _DEEPEST) for line in body.splitlines() if line.strip()])
    content = _content(response, media, body)
    if media == MULTIPART:
        with suppress(ValueError):  # a multipart body that another application has made badly
            content = [*_parts(request, response, body)]
    content += _links(request, response.headers)
    more = _more(definition, request, arguments, response.headers)
    told = {"Location": _location(request, response), **{name: response.headers.get(name) for name in _VERSIONS}}
    lines = [f"{name}: {value}" for name, value in told.items() if value]
    if "next" in more:
        lines.append(f"There are more. For the next page, call this tool with {encode_json(more['next']).decode()}")
    content += [{"type": "text", "text": each} for each in lines]
    made: dict[str, Any] = {"content": content, "isError": False}
    if media == JSON and body:
        value = decode_json(body, _DEEPEST)
        if definition.is_paged:
            value = {**more, **value} if isinstance(value, dict) else {ITEMS: value, **more}
        if isinstance(value, dict) or (is_modern and definition.result is not None):
            made["structuredContent"] = value
    return made


def _more(definition: Definition, request: Request, arguments: Mapping[str, Any], headers: Headers) -> dict[str, Any]:
    """Return the arguments for the next page, if a link has them, and the total if the response has it."""
    made: dict[str, Any] = {}
    for link in chain.from_iterable(parse_links(value) for value in headers.getall("link")):
        if "next" in link.relations and (following := _arguments_of(definition, request, arguments, link)) is not None:
            made["next"] = following
    if (total := headers.get("x-total-count", "")).isdecimal() and total.isascii() and len(total) < _LONGEST_TOTAL:
        made["total"] = int(total)
    return made


def _arguments_of(
    definition: Definition, request: Request, arguments: Mapping[str, Any], link: Link
) -> dict[str, Any] | None:
    """Return the arguments with which a tool's call requests a link, or None for another resource."""
    url, known = request.url.join(link.target), definition.arguments
    if (url.origin, url.path) != (request.url.origin, request.url.path):
        return None
    query: dict[str, list[str]] = {}
    for name, value in parse_query(url.query.encode()):
        query.setdefault(name, []).append(value)
    made = {name: value for name, value in arguments.items() if known[name].place != "query"}
    return made | {
        name: _argument(each.schema, query[name])
        for name, each in known.items()
        if each.place == "query" and name in query
    }


def _argument(schema: Mapping[str, Any], values: list[str]) -> Any:
    """Return a query's values as a tool's argument."""
    if schema.get("type") == "array":
        return values
    is_integer = schema.get("type") == "integer" and values[-1].isdecimal()
    return int(values[-1]) if is_integer else values[-1]


def _content(response: Response, media: str, body: bytes) -> list[dict[str, Any]]:
    if (kind := media.partition("/")[0]) in ("image", "audio"):
        return [{"type": kind, "data": b64encode(body).decode(), "mimeType": media}]
    if not body:
        return [{"type": "text", "text": f"{response.status} {phrase_of(response.status)}"}]
    text = text_of(media, body)
    if text is None:
        return [{"type": "text", "text": f"{len(body)} bytes of {media or 'an unknown type'}, which are not text."}]
    return [{"type": "text", "text": text}]


def blocks_of(request: Request, response: Response) -> list[dict[str, Any]]:
    """Return the content blocks of a response or of a part: one with a Content-Location is an embedded resource."""
    media, body = media_of(response), response.body
    if not isinstance(body, bytes):
        raise explained("wrong-body", "the content of a prompt or a part must be bytes, not a stream", TypeError)
    if media == MULTIPART:
        return [*_parts(request, response, body)]
    if (location := response.headers.get("content-location")) is not None:
        blocks = [{"type": "resource", "resource": contents_of(str(request.url.join(location)), media, body)}]
    else:
        blocks = _content(response, media, body)
    return [*blocks, *_links(request, response.headers)]


def _parts(request: Request, response: Response, body: bytes) -> Iterator[dict[str, Any]]:
    """Yield the content blocks of a multipart response (RFC 2046 §5.1.1)."""
    boundary = MediaType.parse(response.content_type or "").parameters.get("boundary", "").encode()
    for part in (b"\r\n" + body).split(b"\r\n--" + boundary)[1:-1]:
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        fields = [line.partition(":") for line in head.decode("latin-1").split("\r\n")]
        yield from blocks_of(request, Response(content, headers=[(name, value.strip()) for name, _, value in fields]))


def _links(request: Request, headers: Headers) -> Iterator[dict[str, Any]]:
    """Yield the links to items (RFC 6573) in header fields, as the links that clients can read."""
    for value in headers.getall("link"):
        for each in parse_links(value):
            if "item" in each.relations:
                uri = str(request.url.join(each.target))
                media = {"mimeType": each.parameters["type"]} if "type" in each.parameters else {}
                yield {"type": "resource_link", "uri": uri, "name": each.title or uri, **media}


def media_of(response: Response) -> str:
    """Return a response's media type, without parameters; empty if it has none."""
    return (response.content_type or "").partition(";")[0].strip().lower()


def contents_of(uri: str, media: str, body: bytes) -> dict[str, Any]:
    """Return the contents of a resource."""
    text = text_of(media, body)
    data = {"blob": b64encode(body).decode()} if text is None else {"text": text}
    return {"uri": uri, **({"mimeType": media} if media else {}), **data}


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


def words_of(request: Request, response: Response, media: str, body: bytes) -> str:
    """Return an error as lines: first the failure, then each invalid field with its JSON Pointer."""
    first = f"{response.status} {phrase_of(response.status)}"
    if response.status >= 500:
        first += f"\n{_with_id(request)}"
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
    lines = [f"{response.status} {title}" if isinstance(title, str) and response.status < 500 else first]
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
