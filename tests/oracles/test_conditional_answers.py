"""Werkzeug and WebOb answer the same to conditions and ranges, or the standard is on our side."""

import itertools
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

import werkzeug
from werkzeug.exceptions import HTTPException
from werkzeug.test import EnvironBuilder

from antiphon import HTTPError, Request, Response
from tests.helpers.rows import rows
from tests.oracles.webob_modules import webob

BODY = b"0123456789"
MODIFIED = datetime(2026, 11, 20, 12, tzinfo=UTC)
SAME, EARLIER, LATER = (f"Fri, 20 Nov 2026 {time} GMT" for time in ("12:00:00", "11:59:59", "12:00:01"))
HEADERS = {
    "if-match": [None, '"v1"', '"v0"'],
    "if-none-match": [None, '"v1"', 'W/"v1"', '"v0"', "*", '"v0", "v1"'],
    "if-modified-since": [None, SAME, EARLIER, LATER],
    "range": [None, "bytes=0-3", "bytes=-3", "bytes=4-", "bytes=20-", "bytes=0-3,6-7", "bytes=3-1"],
    "if-range": [None, '"v1"', '"v0"', 'W/"v1"', SAME],
}
REQUESTS = [
    (method, {name: value for name, value in zip(HEADERS, values, strict=True) if value is not None})
    for method in ("GET", "HEAD")
    for values in itertools.product(*HEADERS.values())
]


def ours(method, headers):
    response = Response(BODY)
    response.etag = "v1"
    response.last_modified = MODIFIED
    try:
        return response.make_conditional(Request.blank("/", method, headers=headers)).status
    except HTTPError as error:
        return error.status


def werkzeugs(method, headers):
    environ = EnvironBuilder(method=method, headers=headers).get_environ()
    response = werkzeug.Response(BODY)
    response.set_etag("v1")
    response.last_modified = MODIFIED
    try:
        return response.make_conditional(environ, accept_ranges=True, complete_length=len(BODY)).status_code
    except HTTPException as error:
        return error.code


def webobs(method, headers):
    response = webob.Response(body=BODY, conditional_response=True)
    response.etag = "v1"
    response.last_modified = MODIFIED
    return webob.Request.blank("/", method=method, headers=headers).get_response(response).status_code


class Rule(NamedTuple):
    """Where a library answers otherwise, with the section by which it should not, and the statuses that it gives."""

    source: str
    is_about: Callable[[str, dict[str, str], int], bool]
    statuses: set[int]


WHOLE = Rule(
    "RFC 9110 §14.2: of several ranges, the whole is sent",
    lambda method, headers, status: status == 200 and "," in headers.get("range", ""),
    {206, 416},
)
CASES = {
    "werkzeug": (werkzeugs, [
        Rule(
            "RFC 9110 §13.2.2: conditions are looked at before ranges",
            lambda method, headers, status: status in (304, 412) and "range" in headers,
            {206, 416},
        ),
        Rule(
            "RFC 9110 §13.2.2: what If-Match lets through may be known already",
            lambda method, headers, status: status == 304 and "if-match" in headers,
            {200},
        ),
        Rule(
            "RFC 9110 §14.2: ranges are for GET",
            lambda method, headers, status: method == "HEAD" and status == 200 and "range" in headers,
            {206, 416},
        ),
        Rule(
            "RFC 9110 §13.1.5: If-Range is compared with the version, whatever the other conditions say",
            lambda method, headers, status: status in (206, 416) and headers.get("if-range") == SAME,
            {200},
        ),
        Rule(
            "RFC 9110 §14.2: a Range that can't be read is passed over",
            lambda method, headers, status: status == 200 and headers.get("range") == "bytes=3-1",
            {416},
        ),
        WHOLE,
        Rule(
            "RFC 9110 §13.1.5: where If-Range names another version, or a weak tag, Range is passed over",
            lambda method, headers, status: status == 200 and "if-range" in headers and "range" in headers,
            {206, 416},
        ),
    ]),
    "webob": (webobs, [
        WHOLE,
        Rule(
            "RFC 9110 §13.1.1: If-Match guards reading, too",
            lambda method, headers, status: status == 412,
            {200, 206, 304, 416},
        ),
        Rule(
            "RFC 9110 §13.1.2: a star is any version that there is",
            lambda method, headers, status: status == 304 and headers["if-none-match"] == "*",
            {200, 206, 416},
        ),
        Rule(
            "RFC 9110 §14.2: ranges are for GET",
            lambda method, headers, status: method == "HEAD" and status == 200 and "range" in headers,
            {206, 416},
        ),
    ]),
}  # fmt: skip


@rows("theirs, rules", CASES.values(), ids=CASES)
def test_others_answer_the_same_but_for_what_is_listed(theirs, rules):
    used, unlisted = set(), []
    for method, headers in REQUESTS:
        status, other = ours(method, headers), theirs(method, headers)
        if status != other:
            fitting = [rule for rule in rules if rule.is_about(method, headers, status) and other in rule.statuses]
            used.update(rule.source for rule in fitting)
            unlisted += [] if fitting else [(method, headers, status, other)]
    assert unlisted == []
    assert used == {rule.source for rule in rules}
