"""The form parsers of other projects, each as a function from a body in chunks to (name, filename, content).

A name is None where it is missing. All raise ValueError for what they refuse.
"""

from collections.abc import Callable, Iterable
from typing import TypeAlias

from multipart import MultipartError, PushMultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser as CallbackParser
from python_multipart.multipart import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

Items: TypeAlias = list[tuple[str | None, str | None, bytes]]


def multipart(chunks: Iterable[bytes], boundary: bytes) -> Items:
    items: Items = []
    content = b""
    try:
        with PushMultipartParser(boundary) as parser:
            for chunk in chunks:
                for event in parser.parse(chunk) if chunk else ():
                    if event is None:
                        items[-1] = (*items[-1][:2], content)
                    elif isinstance(event, bytes | bytearray):
                        content += event
                    else:
                        items.append((event.name, event.filename, b""))
                        content = b""
    except MultipartError as error:
        raise ValueError(str(error)) from error
    return items


def python_multipart(chunks: Iterable[bytes], boundary: bytes) -> Items:
    """As Starlette uses it, and a form that is cut off is refused."""
    items: Items = []
    fields: dict[bytes, bytes] = {}
    name, value, content = bytearray(), bytearray(), bytearray()
    ended = False

    def begin_header() -> None:
        name.clear()
        value.clear()

    def end_header() -> None:
        fields[bytes(name).lower()] = bytes(value)

    def end_headers() -> None:
        _, options = parse_options_header(fields.get(b"content-disposition", b""))
        if b"name" not in options:
            raise ValueError("no name")
        filename = options.get(b"filename")
        items.append((options[b"name"].decode(), None if filename is None else filename.decode(), b""))
        fields.clear()
        content.clear()

    def end_part() -> None:
        items[-1] = (*items[-1][:2], bytes(content))

    def end() -> None:
        nonlocal ended
        ended = True

    parser = CallbackParser(
        boundary,
        {
            "on_header_begin": begin_header,
            "on_header_field": lambda data, start, end: name.extend(data[start:end]),
            "on_header_value": lambda data, start, end: value.extend(data[start:end]),
            "on_header_end": end_header,
            "on_headers_finished": end_headers,
            "on_part_data": lambda data, start, end: content.extend(data[start:end]),
            "on_part_end": end_part,
            "on_end": end,
        },
    )
    parser.logger.disabled = True
    try:
        for chunk in chunks:
            parser.write(chunk)
    except FormParserError as error:
        raise ValueError(str(error)) from error
    if not ended:
        raise ValueError("cut off")
    return items


def werkzeug(chunks: Iterable[bytes], boundary: bytes) -> Items:
    items: Items = []
    decoder = MultipartDecoder(boundary)
    for chunk in (*chunks, None):
        decoder.receive_data(chunk)
        while not isinstance(event := decoder.next_event(), NeedData | Epilogue):
            if isinstance(event, Field | File):
                items.append((event.name, getattr(event, "filename", None), b""))
            elif isinstance(event, Data):
                items[-1] = (*items[-1][:2], items[-1][2] + event.data)
    return items


ORACLES: dict[str, Callable[[Iterable[bytes], bytes], Items]] = {
    "multipart": multipart,
    "python-multipart": python_multipart,
    "werkzeug": werkzeug,
}
