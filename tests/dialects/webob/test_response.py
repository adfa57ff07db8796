"""Responses: what they refuse, and what users of WebOb were bitten by."""

import pytest

from antiphon.dialects.webob.response import Response
from tests.dialects.werkzeug.environs import called, environ

BREAKS = ["a\rb", "a\nb", "a\r\nb", "a\0b"]

LINES = {
    "a status": lambda text: Response(status=f"200 {text}"),
    "a status set": lambda text: setattr(Response(), "status", f"200 {text}"),
    "a content type": lambda text: Response(content_type=f"text/{text}"),
    "a content type set": lambda text: setattr(Response(), "content_type", text),
    "a charset": lambda text: setattr(Response(), "charset", text),
    "a charset at the start": lambda text: Response(charset=text),
    "a parameter": lambda text: setattr(Response(), "content_type_params", {"a": text}),
    "lines": lambda text: Response(headerlist=[("X", text)]),
    "lines set": lambda text: setattr(Response(), "headerlist", [("X", text)]),
    "headers set": lambda text: setattr(Response(), "headers", {"X": text}),
    "a header": lambda text: Response().headers.__setitem__("X", text),
    "a header's name": lambda text: Response().headers.__setitem__(text, "x"),
    "a header added": lambda text: Response().headers.add("X", text),
    "a header by default": lambda text: Response().headers.setdefault("X", text),
    "headers extended": lambda text: Response().headers.extend([("X", text)]),
    "headers updated": lambda text: Response().headers.update(X=text),
    "a location": lambda text: Response(location=f"/{text}"),
    "an etag": lambda text: Response(etag=text),
    "a list": lambda text: Response(vary=[text]),
    "cache control": lambda text: Response(cache_control=text),
    "a challenge": lambda text: Response(www_authenticate=("Basic", {"realm": text})),
}


@pytest.mark.parametrize("text", BREAKS)
@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_no_line_is_broken(line, text):
    with pytest.raises(ValueError, match=r"CR, LF|control"):
        line(text)


@pytest.mark.parametrize(
    "location",
    ["//evil.example/x", "/\t/evil.example/x", "\t//evil.example/x", "/\t\t/evil.example/x", "///evil.example/x"],
)
def test_a_location_without_a_scheme_leads_to_the_host_of_the_request(location):
    """CVE-2024-42353 and GHSA-fh3h-vg37-cc95."""
    for response in (Response(status=302, location=location), Response(headers={"location": location})):
        (sent,) = [value for name, value in called(response, environ())[1] if name.lower() == "location"]
        assert sent.startswith("http://example.com:8000/%2f")
