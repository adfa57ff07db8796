import pytest

from antiphon.http.errors import HTTPError
from antiphon.http.redirect import NotModified
from tests.helpers.rows import rows

pytestmark = pytest.mark.once


@rows("headers", [{"ETag": '"v1"'}, [("etag", '"v1"')], iter([("etag", '"v1"')])])
def test_it_may_have_headers(headers):
    assert NotModified(headers).headers.items() == [("etag", '"v1"')]
    assert NotModified().headers.items() == []


@rows("headers", [{"etag": '"v1"\r\nx-b: 2'}, {"e tag": '"v1"'}])
def test_bad_headers_are_refused_where_it_is_made(headers):
    with pytest.raises(ValueError, match="header"):
        NotModified(headers)


def test_it_is_an_exception_and_no_error():
    assert NotModified().status == 304
    assert not issubclass(NotModified, HTTPError)
