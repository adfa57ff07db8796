import re
from operator import attrgetter

import pytest

from antiphon import Limits, Request
from antiphon.http.errors import ContentTooLarge, HTTPError, over_limit
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

PART = b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
FILE = b'--B\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n1\r\n'
NAMED = b'--B\r\nContent-Disposition: form-data; name="%b"\r\n\r\n1\r\n'
HEADED = b'--B\r\nContent-Disposition: form-data; name="a"\r\n%b\r\n1\r\n'
URLENCODED, IN_PARTS = "application/x-www-form-urlencoded", "multipart/form-data; boundary=B"


def asking(body=b"", content_type="text/plain", query="", **headers):
    headers = {"content-type": content_type} | {name.replace("_", "-"): value for name, value in headers.items()}
    return Request.blank(f"/?{query}", "POST", headers, body)


def in_parts(*parts, before=b""):
    return asking(before + b"".join(parts) + b"--B--\r\n", IN_PARTS)


BEYOND = {
    "body": (asking(b"ab"), lambda request: request.content.load_on_thread(request.limits)),
    "memory": (asking(b"ab"), attrgetter("body")),
    "json": (asking(b"12", "application/json"), attrgetter("json")),
    "json as a type": (asking(b"12", "application/json"), lambda request: request.json_as(int)),
    "json_depth": (asking(b"[[]]", "application/json"), attrgetter("json")),
    "json_repeats": (asking(b'{"a":1,"a":2,"a":3}', "application/json"), attrgetter("json")),
    "query": (asking(query="ab"), attrgetter("args")),
    "fields of the query": (asking(query="a&b"), attrgetter("args")),
    "fields": (asking(b"a&b", URLENCODED), attrgetter("form")),
    "fields in parts": (in_parts(PART, PART), attrgetter("form")),
    "form": (in_parts(PART, PART), attrgetter("form")),
    "files": (in_parts(FILE, FILE), attrgetter("files")),
    "file": (in_parts(FILE.replace(b"1", b"12")), attrgetter("files")),
    "parts": (in_parts(PART, PART), attrgetter("form")),
    "part_head": (in_parts(HEADED % (b"X: " + bytes(9000))), attrgetter("form")),
    "part_fields": (in_parts(HEADED % (b"X: y\r\n" * 16)), attrgetter("form")),
    "part_name": (in_parts(NAMED % (1025 * b"a")), attrgetter("form")),
    "outside": (in_parts(PART, before=9000 * b" "), attrgetter("form")),
}


@rows("beyond", BEYOND)
def test_a_client_is_told_of_every_limit_in_a_sentence_that_says_how_much_it_is(beyond):
    request, reads = BEYOND[beyond]
    limit = beyond.partition(" ")[0]
    if not limit.startswith("part_") and limit != "outside":
        request.limits = Limits(**{limit: 1})
    with pytest.raises(HTTPError) as refused:
        reads(request)
    assert refused.value.members["limit"] == limit
    assert re.fullmatch(r"[A-Z].*[^.]\.", refused.value.detail)
    assert str(refused.value.members["maximum"]) in refused.value.detail
    assert not re.search("[Ll]imit|_|=", refused.value.detail), "settings are the programmer's"


def test_an_error_has_the_limit_as_its_type():
    error = over_limit(ContentTooLarge, "body", 5, "The body is too long.")
    assert error.type == "urn:antiphon:limit:body"
    assert error.members == {"limit": "body", "maximum": 5}
