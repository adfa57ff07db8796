"""Progress of a call whose handler answers with a stream: each value as it comes, then the whole result."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from antiphon.features.tools.definitions import Definition
from antiphon.features.tools.protocol import Message, result_message
from antiphon.features.tools.results import broken_off, chunks_of, result_of, too_large
from antiphon.handler.contract import log_failure
from antiphon.http.event import Event
from antiphon.request.request import Request
from antiphon.response.response import Response
from antiphon.serialization.json import encode_json


async def progress(
    request: Request, message: Message, definition: Definition, response: Response, largest: int
) -> AsyncIterator[Event]:
    """Yield a notification for each value of a stream, and at its end the result with all of them.

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
    except Exception as error:
        log_failure(request, error)
        yield _event(result_message(message, broken_off()))
        return
    result = result_of(definition, request, response, bytes(read), is_modern=message.is_modern)
    yield _event(result_message(message, result))


def _notification(message: Message, count: int, text: str) -> dict[str, Any]:
    params = {"progressToken": message.meta["progressToken"], "progress": count, "message": text}
    return {"jsonrpc": "2.0", "method": "notifications/progress", "params": params}


def _event(message: dict[str, Any]) -> Event:
    return Event(encode_json(message).decode(), event="message")
