import asyncio
import json
from html.parser import HTMLParser
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.handler.errors import as_http_error, error_response, is_leaving, note_task
from antiphon.http.errors import (
    ClientDisconnected,
    Conflict,
    Forbidden,
    HTTPError,
    InternalServerError,
    MethodNotAllowed,
    NotFound,
    Unauthorized,
    UnprocessableContent,
)
from antiphon.http.multidict import MissingKey
from antiphon.request.request import Request
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

PROBLEM, PAGE = "application/problem+json", "text/html; charset=utf-8"
SECRET = "password=hunter2"

BROWSERS = {
    "Firefox": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "Firefox 132": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Chrome": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,"
    "application/signed-exchange;v=b3;q=0.7",
    "Safari": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "lynx": "text/html, text/plain, text/sgml, text/css, */*;q=0.01",
    "only HTML": "text/html",
    "any text": "text/*",
}
PROGRAMS = {
    "none": None,
    "empty": "",
    "broken": "q=nan",
    "curl, fetch, requests": "*/*",
    "axios": "application/json, text/plain, */*",
    "jQuery": "application/json, text/javascript, */*; q=0.01",
    "JSON": "application/json",
    "problem details": "application/problem+json",
    "both": "application/problem+json, text/html",
    "JSON before HTML": "application/json, text/html;q=0.9",
    "images": "image/avif,image/webp,*/*;q=0.8",
    "style sheets": "text/css,*/*;q=0.1",
    "only images": "image/png",
    "no HTML": "text/html;q=0, */*",
}


UNWRITABLE = {
    "an object": object(),
    "an object within": {"locks": [object()]},
    "half of a pair within": ["\ud800"],
    "a name that is none": {(1, 2): 3},
    "what contains itself": (itself := []),
}
itself.append(itself)


def asking(accept):
    return Request.blank("/orders/5", headers={} if accept is None else {"accept": accept})


program, browser = asking(None), asking("text/html")


def answer_to(error, request=program):
    response = error_response(request, error)
    return json.loads(response.body)


class Elements(HTMLParser):
    """The tags of a page, its text, and that of each item of its lists."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.text, self.items = [], [], []
        self._is_in_item = False
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag == "li":
            self.items.append("")
            self._is_in_item = True

    def handle_endtag(self, tag):
        if tag == "li":
            self._is_in_item = False

    def handle_data(self, data):
        self.text.append(data)
        if self._is_in_item:
            self.items[-1] += data


class TestForm:
    @rows("accept", BROWSERS.values(), ids=BROWSERS)
    def test_is_a_page_for_browsers(self, accept):
        response = error_response(asking(accept), NotFound("no such order"))
        assert (response.status, response.content_type) == (404, PAGE)
        page = response.body.decode()
        assert page.startswith("<!doctype html>")
        assert "<main>\n<h1>Not Found</h1>\n<p>no such order</p>" in page

    @rows("accept", PROGRAMS.values(), ids=PROGRAMS)
    def test_is_problem_details_for_all_others(self, accept):
        response = error_response(asking(accept), NotFound("no such order"))
        assert (response.status, response.content_type) == (404, PROBLEM)
        assert json.loads(response.body)["detail"] == "no such order"

    @rows("accept", [None, "text/html"])
    def test_depends_on_accept_and_is_not_stored(self, accept):
        response = error_response(asking(accept), NotFound())
        assert response.headers["vary"] == "accept"
        assert response.headers["cache-control"] == "no-store"


class TestProblem:
    def test_has_the_members_of_the_error_and_the_request_id(self):
        error = Conflict("taken", type="/problems/taken", title="Taken", members={"by": ["ada"]})
        assert answer_to(error) == {
            "type": "/problems/taken",
            "title": "Taken",
            "status": 409,
            "detail": "taken",
            "by": ["ada"],
            "request_id": program.id,
        }

    def test_leaves_out_a_detail_that_there_is_none_of(self):
        assert answer_to(NotFound()) == {
            "type": "about:blank",
            "title": "Not Found",
            "status": 404,
            "request_id": program.id,
        }

    def test_with_a_member_that_is_no_json_is_an_answer_all_the_same(self):
        # An error must be answered: what fails here has nobody left to catch it.
        problem = answer_to(Conflict("taken", members={"lock": object()}))
        assert (problem["status"], problem["detail"]) == (409, "taken")

    @rows("bad", UNWRITABLE.values(), ids=UNWRITABLE)
    def test_has_all_members_but_one_that_is_no_json(self, bad):
        told, members = {"type": "/problems/taken", "title": "Taken"}, {"by": ["ada"], "until": 5}
        without = answer_to(Conflict("taken", members=members, **told))
        assert answer_to(Conflict("taken", members={"bad": bad, **members}, **told)) == without
        assert answer_to(Conflict("taken", members={"\ud800": 1, **members}, **told)) == without

    def test_says_of_text_what_can_be_said(self):
        problem = answer_to(Conflict("a \ud800", title="b \ud800", type="c \ud800", members={"by": "d \ud800"}))
        assert [problem[name] for name in ("detail", "title", "type", "by")] == ["a ?", "b ?", "c ?", "d ?"]


class TestRequestID:
    @rows("request_", [program, browser], ids=["problem", "page"])
    def test_is_in_the_body_and_in_the_header(self, request_):
        response = error_response(request_, NotFound())
        assert response.headers["x-request-id"] == request_.id
        assert request_.id in response.body.decode()

    def test_that_was_taken_from_elsewhere_is_no_markup(self):
        request = asking("text/html")
        request.id = "<script>alert(1)</script>"
        assert b"<script" not in error_response(request, NotFound()).body


class TestPage:
    @given(st.text(st.characters(codec="utf-8")), st.text(st.characters(codec="utf-8"), min_size=1))
    def test_has_no_markup_but_its_own(self, detail, title):
        page = error_response(browser, HTTPError(400, detail, title=title)).body.decode()
        plain = error_response(browser, HTTPError(400, "detail", title="title")).body.decode()
        assert Elements(page).tags == Elements(plain).tags

    @rows("text", ["<script>alert(1)</script>", "a & b", "{status} {0} %s", "</title><b>", '"><b>'])
    def test_shows_text_as_it_is(self, text):
        elements = Elements(error_response(browser, HTTPError(400, text, title=text)).body.decode())
        assert "b" not in elements.tags
        assert "script" not in elements.tags
        assert "".join(elements.text).count(text) == 3

    def test_needs_nothing_from_elsewhere(self):
        page = error_response(browser, NotFound()).body.decode()
        assert "http:" not in page
        assert "https:" not in page
        assert "src=" not in page


FAULTS = {
    "fields": (
        [{"pointer": "/age", "detail": "expected an integer"}, {"pointer": "/name", "detail": "is missing"}],
        ["age: expected an integer", "name: is missing"],
    ),
    "what is within": ([{"pointer": "/tags/1", "detail": "is wrong"}], ["tags/1: is wrong"]),
    "a name with a slash and a tilde": ([{"pointer": "/a~1b~0~01", "detail": "is wrong"}], ["a/b~~1: is wrong"]),
    "a name that is empty": ([{"pointer": "/", "detail": "is wrong"}], ["is wrong"]),
    "the whole": ([{"pointer": "", "detail": "ends before it begins"}], ["ends before it begins"]),
    "without a pointer": ([{"detail": "is wrong"}], ["is wrong"]),
    "a pointer that is none": ([{"pointer": 7, "detail": "is wrong"}], ["is wrong"]),
    "markup": ([{"pointer": "/<i>&lt;", "detail": '"><script>&amp;'}], ['<i>&lt;: "><script>&amp;']),
    "half of a pair": ([{"pointer": "/\ud800", "detail": "\udfff"}], ["?: ?"]),
    "a tuple": (({"detail": "is wrong"},), ["is wrong"]),
    "some that tell nothing": (["age", 7, {}, {"detail": 7}, {"detail": "is wrong"}], ["is wrong"]),
}
NO_FAULTS = {
    "none": [],
    "text": "age",
    "a number": 7,
    "a dict": {"age": "is missing"},
    "nothing told": [{"pointer": "/a"}],
}


class TestListOfErrors:
    @rows("errors, items", FAULTS.values(), ids=FAULTS)
    def test_is_what_is_wrong_item_by_item(self, errors, items):
        response = error_response(browser, UnprocessableContent("wrong", members={"errors": errors}))
        elements = Elements(response.body.decode())
        assert elements.items == items
        assert elements.tags.count("li") == len(items)
        assert {"script", "i"}.isdisjoint(elements.tags)

    @rows("errors", NO_FAULTS.values(), ids=NO_FAULTS)
    def test_is_left_out_where_nothing_is_told(self, errors):
        page = error_response(browser, UnprocessableContent("wrong", members={"errors": errors})).body.decode()
        assert page == error_response(browser, UnprocessableContent("wrong")).body.decode()

    def test_is_not_of_other_members(self):
        error = UnprocessableContent("wrong", members={"secrets": [{"pointer": "/key", "detail": "hunter2"}]})
        assert Elements(error_response(browser, error).body.decode()).items == []

    def test_names_each_field_of_a_form_that_is_wrong(self):
        form = Request.blank(
            "/sign", "POST", {"accept": "text/html", "content-type": "application/x-www-form-urlencoded"}, b"age=x"
        )
        with pytest.raises(UnprocessableContent) as caught:
            form.form_as(Entry)
        elements = Elements(error_response(form, caught.value).body.decode())
        assert elements.items == ["age: expected an integer", "name: is missing"]


class TestHeaders:
    def test_of_the_error_are_added(self):
        assert error_response(program, MethodNotAllowed(allow=["GET", "HEAD"])).headers["allow"] == "GET, HEAD"
        assert error_response(program, Unauthorized(challenge="Basic")).headers["www-authenticate"] == "Basic"
        error = HTTPError(503, headers={"Retry-After": "5", "vary": "Origin"})
        response = error_response(program, error)
        assert response.headers["retry-after"] == "5"
        assert response.headers.getall("vary") == ["Origin", "accept"]

    def test_that_the_error_sets_itself_are_kept(self):
        response = error_response(program, NotFound(headers={"cache-control": "max-age=60"}))
        assert response.headers.getall("cache-control") == ["max-age=60"]

    def test_of_the_error_are_not_changed(self):
        error = NotFound(headers={"x-a": "1"})
        for _ in range(2):
            error_response(program, error)
        assert error.headers.items() == [("x-a", "1")]


class Entry(NamedTuple):
    age: int
    name: str


class Unprintable(Exception):
    def __str__(self):
        raise AssertionError("printed")

    __repr__ = __str__


FAILURES = [
    ValueError(SECRET),
    KeyError(SECRET),
    OSError(5, SECRET, "/etc/passwd"),
    ExceptionGroup(SECRET, [ValueError(SECRET)]),
    RecursionError(SECRET),
    Unprintable(),
]


class TestWhatIsTold:
    @rows("request_", [program, browser], ids=["problem", "page"])
    @rows("failure", FAILURES, ids=lambda failure: type(failure).__name__)
    def test_of_any_other_exception_is_nothing_but_a_500(self, request_, failure):
        try:
            try:
                raise LookupError("the cause " + SECRET)
            except LookupError as cause:
                raise failure from cause
        except Exception as raised:
            response = error_response(request_, raised)
        assert response.status == 500
        told = str(response.headers) + response.body.decode()
        for hidden in (SECRET, "Traceback", "the cause", type(failure).__name__, __file__, "/etc/passwd"):
            assert hidden not in told

    def test_of_an_http_error_is_its_detail_and_not_its_cause(self):
        try:
            try:
                raise ValueError(SECRET)
            except ValueError as cause:
                raise Forbidden("not yours") from cause
        except Forbidden as raised:
            error = raised
        body = error_response(program, error).body.decode()
        assert "not yours" in body
        assert SECRET not in body

    @rows("request_", [program, browser], ids=["problem", "page"])
    @rows(
        "error",
        [NotFound("a"), ValueError("b"), MissingKey("page"), asyncio.CancelledError(), KeyboardInterrupt()],
        ids=repr,
    )
    def test_the_response_carries_the_very_exception(self, request_, error):
        assert error_response(request_, error).error is error

    def test_a_missing_key_is_a_400_that_names_it(self):
        assert answer_to(MissingKey("page"))["detail"] == "'page' is missing"
        assert error_response(program, MissingKey("page")).status == 400

    @rows("interruption", [KeyboardInterrupt(), SystemExit(1), GeneratorExit()], ids=repr)
    def test_an_interruption_is_a_client_that_went_away(self, interruption):
        assert error_response(program, interruption).status == 499

    def test_a_cancellation_where_no_task_runs_is_a_failure(self):
        assert error_response(program, asyncio.CancelledError()).status == 500

    def test_a_cancellation_is_known_on_a_thread_for_one_that_ends_its_task(self):
        async def cancelled():
            try:
                await asyncio.sleep(10)
            except asyncio.CancelledError as error:
                note_task(error)
                return error

        async def main():
            task = asyncio.create_task(cancelled())
            await asyncio.sleep(0)
            task.cancel()
            return await task

        error = asyncio.run(main())
        assert is_leaving(error)
        assert error_response(program, error).status == 499


class TestAsHTTPError:
    def test_is_the_error_itself_when_it_is_one(self):
        for error in (NotFound(), HTTPError(418), MissingKey("a"), ClientDisconnected()):
            assert as_http_error(error) is error

    def test_is_one_that_gives_nothing_away_for_any_other(self):
        told = as_http_error(ValueError(SECRET))
        assert type(told) is InternalServerError
        assert SECRET not in str(told)
        assert told.__cause__ is None
