import pytest

from antiphon.http.redirect import Redirect, check_redirect
from tests.helpers.rows import rows

pytestmark = pytest.mark.once


@rows("status", [200, 300, 304, 305, 306, 309, 404, 0, -303, True])
def test_a_redirect_has_no_other_status(status):
    with pytest.raises(ValueError, match=f"(?m)^a redirect's status must be 301, 302, 303, 307 or 308, not {status}$"):
        check_redirect(status)
    with pytest.raises(ValueError, match="a redirect's status must be"):
        Redirect("/x", status)


def test_a_redirect_leads_on_with_get_unless_another_status_is_said():
    redirect = Redirect("/x?q=1#top")
    assert (redirect.location, redirect.status, redirect.headers.items()) == ("/x?q=1#top", 303, [])


@rows("headers", [{"x-a": "1"}, [("x-a", "1")], iter([("x-a", "1")])])
def test_a_redirect_may_have_headers_of_its_own(headers):
    redirect = Redirect("/x", headers=headers)
    redirect.headers["x-b"] = "2"
    assert redirect.headers.items() == [("x-a", "1"), ("x-b", "2")]
    assert Redirect("/x").headers.items() == []


@rows("headers", [{"x-a": "1\r\nx-b: 2"}, {"x a": "1"}])
def test_bad_headers_are_refused_where_it_is_made(headers):
    with pytest.raises(ValueError, match="header"):
        Redirect("/x", headers=headers)


@rows("location", [None, b"/x", 5])
def test_a_location_that_is_no_text_is_refused_where_it_is_made(location):
    with pytest.raises(TypeError, match="must go to a URL reference, not to"):
        Redirect(location)


def test_a_location_that_cannot_be_sent_is_refused_where_it_is_made():
    with pytest.raises(ValueError, match="surrogates"):
        Redirect("/\ud800")


def test_it_stays_on_this_site_unless_told():
    with pytest.raises(ValueError, match="external=True"):
        Redirect("//example.org/")
    assert Redirect("//example.org/", external=True).location == "//example.org/"
