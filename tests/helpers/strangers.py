"""What strangers send to an application: strange text and values in every place that its source reads."""

import asyncio
import re
from itertools import chain
from urllib.parse import quote_from_bytes

from antiphon.testing import AsyncClient, BrokenResponse

TEXTS = [
    "", "é", "\0", "\ud83d", "-1", "9" * 25, "NaN", "1e999", "x" * 70_000, "../../etc/passwd", "a\r\nb: c", "<script>",
]  # fmt: skip
VALUES = ["null", "true", "-1", "1" + "0" * 30, "1e999", '"\\u00e9\\u0000"', '"\\ud800"', "[]", "[1]", "{}", '"x"']
PATHS = ["-1", "9" * 25, "%C3%A9", "%00", "%FF", "..%2f..%2fetc%2fpasswd", "%0d%0aa", "x" * 3000]
FIELDS = {
    "authorization": ["Bearer é", "Bearer a.b.c", "Basic !", "Basic //86/w==", "Digest x"],
    "cookie": ['session=é; a="', "session=x; lang=%00; theme=x"],
    "last-event-id": ["é", '"', "-1", "9" * 25],
    "accept-language": ["é;q=x,,*"],
    "if-none-match": ['"é'],
    "range": ["bytes=9-1,-"],
    "x-signature": ["é"],
    "x-api-key": ["é"],
    "idempotency-key": ["é"],
}
MULTIPART = "multipart/form-data; boundary=x"
JSON, URLENCODED = "application/json", "application/x-www-form-urlencoded"

_read = re.compile(r"""(?:form|json|args|files|params|cookies)(?:\.get(?:one|all)?\(|\[)f?["']([\w-]+)["']""").findall
_declared = re.compile(r"^    (\w+): ", re.MULTILINE).findall


def failures(app, source):
    """Return the requests to an application that it fails to answer, by the route: a 500, or a response cut off."""
    return asyncio.run(_failures(app, sorted({*_read(source), *_declared(source)})))


async def _failures(app, names):
    found = {}
    async with AsyncClient(app, raise_errors=False, follow_redirects=False, timeout=5.0) as client:
        for route in app.routes:
            for method in {*route.methods} - {"OPTIONS", "HEAD", "QUERY"}:
                for target, options in chain(_heads(route.pattern, names), _bodies(route.pattern, names, method)):
                    if await _fails(client, method, target, options):
                        found.setdefault(f"{method} {route.pattern}", f"{target[:200]} {str(options)[:200]}")
    return found


async def _fails(client, method, target, options):
    try:
        async with client.stream(method, target, **options) as response:
            await anext(response, b"")  # a stream may then be silent
    except BrokenResponse:
        return True
    return response.status == 500


def _filled(pattern, value="1"):
    return re.sub("<[^<>]*>", value, pattern)


def _heads(pattern, names):
    plain = _filled(pattern)
    yield plain, {}
    if "<" in pattern:
        yield from ((_filled(pattern, value), {}) for value in PATHS)
    for name, values in FIELDS.items():
        yield from ((plain, {"headers": {name: value}}) for value in values)
    for name in names:
        yield from ((f"{plain}?{_encoded({name: text})}", {}) for text in TEXTS)


def _bodies(pattern, names, method):
    if method in ("GET", "DELETE"):
        return
    plain, usual = _filled(pattern), dict.fromkeys(names, "1")
    for body in ["", "{", "[" * 10_000, '{"a":' * 500, "\xff", *VALUES]:
        yield plain, {"body": body.encode("latin-1", "replace"), "content_type": JSON}
    yield plain, {"body": b"--x\r\n\r\n", "content_type": MULTIPART}
    for name in names:
        for text in TEXTS:
            yield plain, {"body": _encoded({**usual, name: text}).encode(), "content_type": URLENCODED}
        for value in VALUES:
            members = ",".join(f'"{each}":{value if each == name else 1}' for each in names)
            yield plain, {"body": f"{{{members}}}".encode(), "content_type": JSON}
        for content in (b"", b"\xff\0", b"a,b\r\n1"):
            form = {each: "1" for each in names if each != name}
            yield plain, {"files": {name: ("../é.txt", content)}, "form": form}


def _encoded(fields):
    return "&".join(
        f"{name}={quote_from_bytes(text.encode('utf-8', 'surrogatepass'))}" for name, text in fields.items()
    )
