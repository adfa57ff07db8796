import pytest

from antiphon.http.headers import Headers
from antiphon.http.urls.url import URL
from antiphon.testing.call import next_request
from antiphon.testing.requests import compose
from antiphon.testing.servers.exchange import Head
from tests.helpers.rows import rows


def request(method="GET", url="http://shop.example/a/b?q", **options):
    return compose(method, url, options, base=URL("http://shop.example"), headers=Headers(), http_version="1.1")


def follow(sent, status, location):
    return next_request(sent, Head(status, Headers([("location", location)])))


@rows(
    "status, method, next_method",
    (301, "POST", "GET"),
    (301, "PUT", "PUT"),
    (301, "HEAD", "HEAD"),
    (302, "POST", "GET"),
    (302, "DELETE", "DELETE"),
    (302, "QUERY", "QUERY"),
    (303, "POST", "GET"),
    (303, "PUT", "GET"),
    (303, "HEAD", "HEAD"),
    (307, "POST", "POST"),
    (308, "PATCH", "PATCH"),
)
def test_the_method_after_a_redirect(status, method, next_method):
    after = follow(request(method, body=b"body", headers={"x-other": "1"}, content_type="text/plain"), status, "/next")
    assert after.method == next_method
    assert after.content == (b"body" if method == next_method else b"")
    assert ("content-type" in after.headers, "content-length" in after.headers) == (method == next_method,) * 2
    assert after.headers["x-other"] == "1"


@rows("status", [200, 201, 300, 304, 305, 306, 399])
def test_other_statuses_lead_nowhere(status):
    assert follow(request(), status, "/next") is None


def test_without_a_location_there_is_no_redirect():
    assert next_request(request(), Head(302, Headers())) is None


@rows(
    "location, url",
    ("/next", "http://shop.example/next"),
    ("next", "http://shop.example/a/next"),
    ("../next?x#y", "http://shop.example/next?x"),
    ("?x", "http://shop.example/a/b?x"),
    ("/n/../x/./y/..", "http://shop.example/x/"),
    ("/n/%2e%2E/%2e/.%2E/x/%2E", "http://shop.example/x/"),
    ("%2e%2e", "http://shop.example/"),
    ("http://other.example/n/%2e%2e/x", "http://other.example/x"),
    ("/n/%2e%2e%2fx/...?/%2e%2e/x", "http://shop.example/n/%2e%2e%2fx/...?/%2e%2e/x"),
    ("?/%2e%2e/", "http://shop.example/a/b?/%2e%2e/"),
    ("//other.example", "http://other.example/"),
    ("https://other.example:8443/n%2Fx", "https://other.example:8443/n%2Fx"),
    ("/caf\xc3\xa9", "http://shop.example/caf%C3%83%C2%A9"),
)
def test_a_location_is_resolved(location, url):
    after = follow(request(), 302, location)
    assert after.url == url
    assert after.headers["host"] == after.authority


@rows("location", ["mailto:a@b", "app://callback", "http://"])
def test_what_no_http_server_answers_is_not_followed(location):
    assert follow(request(), 302, location) is None


@pytest.mark.parametrize("location", ["/\\evil.example", "http:///evil.example", "https:evil.example"])
def test_a_location_that_is_no_url_is_an_error(location):
    with pytest.raises(ValueError, match="URL"):
        follow(request(), 302, location)


@rows(
    "location, kept",
    ("/next", True),
    ("http://shop.example:80/next", True),
    ("https://shop.example/next", False),
    ("http://shop.example:81/", False),
    ("http://other.example/", False),
)
def test_credentials_stay_with_their_origin(location, kept):
    sent = request(headers={"authorization": "Basic x", "proxy-authorization": "y", "cookie": "c=1", "accept": "*/*"})
    after = follow(sent, 307, location)
    assert ("authorization" in after.headers, "proxy-authorization" in after.headers) == (kept, kept)
    assert "cookie" not in after.headers
    assert after.headers["accept"] == "*/*"


def test_a_body_that_is_used_up_cannot_be_sent_again():
    with pytest.raises(ValueError, match="second time"):
        follow(request("POST", body=iter([b"x"])), 307, "/next")
    assert follow(request("POST", body=[b"x"]), 307, "/next").content == [b"x"]
    assert follow(request("POST", body=iter([b"x"])), 303, "/next").method == "GET"
