"""The corpus of media types (WHATWG MIME Sniffing §4.4)."""

import re
from collections.abc import Iterator

from antiphon.http import MediaType
from tests.corpora.corpus import REFUSED, Case, Corpus, name_of
from tests.corpora.sources import RUST_URL, read_json

Reading = tuple[str, dict[str, str]] | str

_parameter = re.compile(r';([^=;]+)=(?:"((?:[^"\\]|\\.)*)"|([^;]*))', re.DOTALL).findall
_is_essence = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+/[!#$%&'*+.^_`|~0-9A-Za-z-]+").fullmatch


def cases() -> Iterator[Case]:
    for path in RUST_URL.paths[1:]:
        for each in read_json(RUST_URL, path):
            if not isinstance(each, str):  # a comment
                yield Case(name_of(each["input"]), (each["input"],), (_canonical(each["output"]),))


def _canonical(output: str | None) -> Reading:
    if output is None:
        return REFUSED
    essence, semicolon, rest = output.partition(";")
    pairs = _parameter(semicolon + rest)
    return essence, {name: re.sub(r"\\(.)", r"\1", quoted) or plain for name, quoted, plain in pairs}


def antiphon(text: str) -> Reading:
    try:
        media_type = MediaType.parse(text)
    except ValueError:
        return REFUSED
    return media_type.essence, dict(media_type.parameters)


def _checked(essence: str, parameters: dict[str, str]) -> Reading:
    """Return what a library read, in lower case where that says the same; a value that is no type counts as refused."""
    return (
        (essence.lower(), {name.lower(): value for name, value in parameters.items()})
        if _is_essence(essence)
        else REFUSED
    )


def werkzeug(text: str) -> Reading:
    from werkzeug.http import parse_options_header

    return _checked(*parse_options_header(text))


def starlette(text: str) -> Reading:
    from starlette.formparsers import parse_options_header

    essence, parameters = parse_options_header(text)
    return _checked(
        essence.decode("latin-1"), {k.decode("latin-1"): v.decode("latin-1") for k, v in parameters.items()}
    )


def falcon(text: str) -> Reading:
    from falcon import parse_header

    return _checked(*parse_header(text))


def webob(text: str) -> Reading:
    from webob import Response

    response = Response()
    response.headers["Content-Type"] = text
    return _checked(response.content_type or "", dict(response.content_type_params))


READERS = {"Antiphon": antiphon, "Werkzeug": werkzeug, "Starlette": starlette, "Falcon": falcon, "WebOb": webob}
CORPORA = (Corpus("media types", RUST_URL, cases, READERS),)
