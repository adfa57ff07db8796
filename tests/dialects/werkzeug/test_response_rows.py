"""What the documents say of a response, where no comparison with Werkzeug shows it."""

from io import BytesIO

import pytest

from antiphon.dialects.werkzeug import wsgi
from antiphon.dialects.werkzeug.wrappers import Response
from antiphon.dialects.werkzeug.wsgi import FileWrapper
from tests.dialects.werkzeug.environs import called, environ, fields
from tests.helpers.rows import rows


@pytest.mark.feature("kay-096", "kay-097")
def test_what_is_passed_through_is_given_as_it_is():
    assert Response().direct_passthrough is False
    wrapped = wsgi.wrap_file(environ(), BytesIO(b"content"))
    assert isinstance(wrapped, FileWrapper)
    response = Response(wrapped, direct_passthrough=True)
    assert response.get_app_iter(environ()) is wrapped
    assert b"".join(wrapped) == b"content"
    with pytest.raises(RuntimeError, match="direct passthrough"):
        response.get_data()


@pytest.mark.feature("kay-103")
def test_a_status_with_a_line_end_is_refused():
    with pytest.raises(ValueError, match="control characters"):
        Response(status="200 OK\r\nX-Bad: 1")


@rows("status", ["abc", 0, 99, 1000, -200])
def test_a_status_without_a_code_of_three_digits_is_not_sent(status):
    with pytest.raises(ValueError, match="code of three digits"):
        called(Response("body", status=status), environ())


def test_headers_that_a_subclass_changes_are_sent():
    class Own(Response):
        def get_wsgi_headers(self, environ):
            headers = super().get_wsgi_headers(environ)
            headers["X-Own"] = "yes"
            return headers

    assert fields(Own("text"))["X-Own"] == "yes"


def test_a_range_that_is_not_there_is_refused():
    from antiphon.dialects.werkzeug.exceptions import RequestedRangeNotSatisfiable

    for wanted in ("bytes=10-", "bytes=x"):
        with pytest.raises(RequestedRangeNotSatisfiable) as raised:
            Response("text").make_conditional(environ(HTTP_RANGE=wanted), accept_ranges=True, complete_length=4)
        assert raised.value.length == 4
