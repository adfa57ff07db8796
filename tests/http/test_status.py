import pytest

from antiphon.http.status import PHRASES, STATUS_LINES, has_body, phrase
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

REGISTERED = {
    100: "Continue", 101: "Switching Protocols", 102: "Processing", 103: "Early Hints", 200: "OK", 201: "Created",
    202: "Accepted", 203: "Non-Authoritative Information", 204: "No Content", 205: "Reset Content",
    206: "Partial Content", 207: "Multi-Status", 208: "Already Reported", 226: "IM Used", 300: "Multiple Choices",
    301: "Moved Permanently", 302: "Found", 303: "See Other", 304: "Not Modified", 305: "Use Proxy",
    307: "Temporary Redirect", 308: "Permanent Redirect", 400: "Bad Request", 401: "Unauthorized",
    402: "Payment Required", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 406: "Not Acceptable",
    407: "Proxy Authentication Required", 408: "Request Timeout", 409: "Conflict", 410: "Gone", 411: "Length Required",
    412: "Precondition Failed", 413: "Content Too Large", 414: "URI Too Long", 415: "Unsupported Media Type",
    416: "Range Not Satisfiable", 417: "Expectation Failed", 418: "I'm a teapot", 421: "Misdirected Request",
    422: "Unprocessable Content", 423: "Locked", 424: "Failed Dependency", 425: "Too Early", 426: "Upgrade Required",
    428: "Precondition Required", 429: "Too Many Requests", 431: "Request Header Fields Too Large",
    451: "Unavailable For Legal Reasons", 499: "Client Closed Request", 500: "Internal Server Error",
    501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout",
    505: "HTTP Version Not Supported", 506: "Variant Also Negotiates", 507: "Insufficient Storage",
    508: "Loop Detected", 510: "Not Extended", 511: "Network Authentication Required",
}  # fmt: skip
CODES = range(100, 600)


def test_phrases_are_the_registered_ones():
    assert PHRASES == REGISTERED


def test_codes_are_listed_in_order():
    assert list(PHRASES) == sorted(PHRASES)


@rows(
    "code, words",
    (200, "OK"), (404, "Not Found"), (418, "I'm a teapot"), (199, "Informational"), (299, "Success"),
    (306, "Redirection"), (420, "Client Error"), (599, "Server Error"), (600, "Unknown"), (0, "Unknown"),
    (-404, "Unknown"),
)  # fmt: skip
def test_an_unregistered_code_has_the_phrase_of_its_class(code, words):
    assert phrase(code) == words


def test_the_line_is_code_and_phrase():
    assert [STATUS_LINES[code] for code in CODES] == [f"{code} {phrase(code)}" for code in CODES]
    phrases = "".join(map(phrase, CODES))
    assert phrases.isascii()
    assert phrases.isprintable()


def test_informational_no_content_and_not_modified_have_no_body():
    assert [code for code in CODES if not has_body(code)] == [*range(100, 200), 204, 304]
