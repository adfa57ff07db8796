"""Request bodies: by length and in chunks, small and large, within the limit and beyond."""

from hashlib import sha256

from tests.contract.application.bodies import SMALL
from tests.contract.exchanges.exchange import BYTES, JSON, TEXT, Exchange, answer, both, in_json, problem
from tests.contract.wire import Fields

FORM = "application/x-www-form-urlencoded"

_KIB_200 = bytes(range(256)) * 800
_JSON_TYPE = ("Content-Type", JSON)
_FORM_TYPE = ("Content-Type", FORM)
_DIGEST = in_json({"bytes": len(_KIB_200), "sha256": sha256(_KIB_200).hexdigest()})
_LONGER = f"The body is longer than the {SMALL} bytes that are accepted."
_CHUNKS = tuple(_KIB_200[at : at + 10_000] for at in range(0, len(_KIB_200), 10_000))


def _post(
    name: str, path: str, body: bytes | tuple[bytes, ...], expected: object, *fields: tuple[str, str]
) -> list[Exchange]:
    return both(name, in_json(expected), f"/{{def}}/{path}", "POST", *fields, body=body)


def _too_large(name: str, body: bytes | tuple[bytes, ...]) -> list[Exchange]:
    members = {"type": "urn:antiphon:limit:body", "limit": "body", "maximum": SMALL}
    expected = problem(413, "Content Too Large", _LONGER, members=members)
    return both(name, expected, "/{def}/limited", "POST", body=body)


def _chunked(name: str, path: str, body: bytes, expected: object, *fields: tuple[str, str]) -> list[Exchange]:
    """Return the exchange for a body in chunks of a few bytes."""
    chunks = tuple(body[at : at + 3] for at in range(0, len(body), 3))
    return _post(name, path, chunks, expected, *fields)


_UTF8: Fields = (("Content-Type", "text/plain; charset=utf-8"),)

EXCHANGES: tuple[Exchange, ...] = (
    *both(
        "a body is echoed with its type",
        answer(bytes(range(256)), "image/x-test"),
        "/{def}/echo",
        "POST",
        ("Content-Type", "image/x-test"),
        body=bytes(range(256)),
    ),
    *both("a body may be empty", answer(b"", "text/plain"), "/{def}/echo", "POST", ("Content-Type", "text/plain"),
          body=b""),
    *both("no body is an empty body", answer(b"", "application/octet-stream"), "/{def}/echo", "POST"),
    *both("chunks are one body", answer(b"one two three", "text/x-test"), "/{def}/echo", "POST",
          ("Content-Type", "text/x-test"), body=(b"one ", b"t", b"wo ", b"three")),
    *both("chunks may be none", answer(b"", "text/x-test"), "/{def}/echo", "POST",
          ("Content-Type", "text/x-test"), body=()),
    *both("200 KiB arrive", _DIGEST, "/{def}/digest", "POST", body=_KIB_200),
    *both("200 KiB arrive in chunks", _DIGEST, "/{def}/digest", "POST", body=_CHUNKS),
    *both("a body is sent back while it arrives", answer(_KIB_200, BYTES, length=None), "/{def}/passed-on", "POST",
          body=_CHUNKS),
    *both("a body may stay unread", answer("unread\n"), "/{def}/unread", "POST", body=_KIB_200),
    *both("text is decoded by its charset", answer("Grüße"), "/{def}/text/in", "POST",
          ("Content-Type", "text/plain; charset=iso-8859-1"), body="Grüße".encode("latin-1")),
    *both("text is UTF-8 by default", answer("Grüße\ufffd"), "/{def}/text/in", "POST", *_UTF8,
          body="Grüße".encode() + b"\xff"),
    *_post("JSON is decoded", "json", b' {"a": [1, "\xc3\xbc\\n"]} ', {"got": {"a": [1, "ü\n"]}}, _JSON_TYPE),
    *_chunked("JSON in chunks is decoded", "json", b'{"a": [1, null, true]}', {"got": {"a": [1, None, True]}},
              _JSON_TYPE),
    *_post("typed JSON is converted", "order", b'{"items": [{"name": "tea", "price": 3}], "note": "n"}',
           {"total": 3.0, "note": "n"}, _JSON_TYPE),
    *_post("a form is decoded", "form", b"a=1&a=2&name=Gr%C3%BC%C3%9Fe+%26+K%C3%BCsse&empty=",
           [["a", "1"], ["a", "2"], ["name", "Grüße & Küsse"], ["empty", ""]], _FORM_TYPE),
    *_chunked("a form in chunks is decoded", "form", b"a=1&name=Gr%C3%BC%C3%9Fe", [["a", "1"], ["name", "Grüße"]],
              _FORM_TYPE),
    *_post("what is no form has no fields", "form", b"a=1", [], ("Content-Type", "text/plain")),
    *both("a body of just the limit is accepted", answer(f"{SMALL} bytes\n", TEXT), "/{def}/limited", "POST",
          body=bytes(SMALL)),
    *both("chunks of just the limit are accepted", answer(f"{SMALL} bytes\n", TEXT), "/{def}/limited", "POST",
          body=(bytes(SMALL // 2), bytes(SMALL // 2))),
    *_too_large("a length above the limit is 413", bytes(SMALL + 1)),
    *_too_large("200 KiB above the limit are 413", _KIB_200),
    *_too_large("chunks above the limit are 413", (bytes(SMALL), b"1")),
    *_too_large("chunks of 200 KiB above the limit are 413", _CHUNKS),
)  # fmt: skip
