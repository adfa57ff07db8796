import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon import Request
from antiphon.app.planning.cross_site import PROBLEM_TYPE, SAFE_METHODS, check_cross_site, origins, parse_origin
from antiphon.http.errors import Forbidden
from tests.helpers.rows import rows

pytestmark = [pytest.mark.once, pytest.mark.axes("interface")]

SHOP = "https://shop.example.com"
EVIL = "https://evil.example"
TRUSTED = origins([EVIL.replace("evil", "partner"), "capacitor://localhost"])


def sent(method="POST", url=f"{SHOP}/orders", site=None, origin=None):
    fields = {"sec-fetch-site": site, "origin": origin}
    return Request.blank(url, method, {name: value for name, value in fields.items() if value is not None})


def passes(request, allowed=TRUSTED):
    try:
        check_cross_site(request, allowed)
    except Forbidden:
        return False
    return True


class TestSecFetchSite:
    @rows(
        "site, origin, expected",
        ("same-origin", None, True),
        ("same-origin", SHOP, True),
        ("same-origin", "null", True),
        ("none", None, True),
        ("none", EVIL, True),
        ("same-site", None, False),
        ("same-site", "https://blog.example.com", False),
        ("cross-site", None, False),
        ("cross-site", EVIL, False),
        ("cross-site", "null", False),
        ("cross-site", SHOP, False),
        ("same-site", "http://shop.example.com", False),
        ("cross-site", "https://partner.example", True),
        ("same-site", "https://partner.example", True),
        ("cross-site", "capacitor://localhost", True),
        ("cross-site", "https://partner.example:444", False),
        ("cross-site", "http://partner.example", False),
        ("cross-site", "https://partner.example.evil.example", False),
        ("cross-site", "https://partner.example, https://evil.example", False),
        ("Same-Origin", None, False),
        ("same-origin, cross-site", SHOP, False),
        ("whatever", None, False),
    )
    def test_decides_where_it_is_sent(self, site, origin, expected):
        assert passes(sent(site=site, origin=origin)) is expected


class TestOrigin:
    @rows(
        "url, origin, expected",
        ("https://shop.example.com", "https://shop.example.com", True),
        ("http://shop.example.com", "http://shop.example.com", True),
        ("http://shop.example.com:8000", "http://shop.example.com:8000", True),
        ("https://shop.example.com:443", "https://shop.example.com", True),
        ("http://SHOP.example.com", "http://shop.example.com", True),
        ("http://[::1]:8000", "http://[::1]:8000", True),
        ("https://shop.example.com", "https://shop.example.com:8443", False),
        ("https://shop.example.com:8443", "https://shop.example.com", False),
        ("https://shop.example.com:0", "https://shop.example.com", False),
        ("https://shop.example.com", "https://blog.example.com", False),
        ("https://shop.example.com", "https://shop.example.com.evil.example", False),
        ("https://shop.example.com", "https://evilshop.example.com", False),
        ("https://shop.example.com", "https://partner.example", True),
    )
    def test_is_compared_with_host_and_port(self, url, origin, expected):
        assert passes(sent(url=url, origin=origin)) is expected

    @rows(
        "url, origin, expected",
        ("http://shop.example.com", "https://shop.example.com", True),
        ("http://shop.example.com:443", "https://shop.example.com", True),
        ("http://shop.example.com:8443", "https://shop.example.com:8443", True),
        ("http://shop.example.com:8000", "https://shop.example.com", False),
        ("http://shop.example.com", "https://evil.example", False),
        ("https://shop.example.com", "http://shop.example.com", False),
        ("http://shop.example.com", "ftp://shop.example.com", False),
    )
    def test_of_https_passes_behind_a_proxy_that_ends_tls_and_never_the_other_way(self, url, origin, expected):
        assert passes(sent(url=url, origin=origin)) is expected

    @rows(
        "origin",
            "null", "NULL", "shop.example.com", "https://", "https://shop.example.com/", "https:shop.example.com",
            "https://u@shop.example.com", "https://shop.example.com, https://shop.example.com", "//shop.example.com",
            "https://shop.example.com:x", "https://shop.example.com:99999", "https://sh op", "*", "https://*",
    )  # fmt: skip
    def test_that_is_null_or_malformed_is_another_site(self, origin):
        assert not passes(sent(origin=origin))

    def test_that_is_null_is_another_site_even_if_it_was_allowed(self):
        assert not passes(sent(origin="null"), frozenset({"null"}))
        assert not passes(sent(origin="null", site="cross-site"), frozenset({"null"}))

    def test_does_not_match_a_host_that_is_as_malformed(self):
        request = Request.blank("/", "POST", {"host": "a b", "origin": "http://a b"})
        assert not passes(request)
        assert passes(Request.blank("/", "POST", {"host": "a", "origin": "http://a"}))

    def test_does_not_match_a_malformed_host(self):
        assert not passes(Request.blank("/", "POST", {"host": "a b", "origin": "http://a"}))

    @given(st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), min_size=1).map(str.strip).filter(bool))
    def test_of_any_kind_is_decided_without_another_error(self, origin):
        assert not passes(sent(origin=origin)) or "shop.example.com" in origin.lower()


def test_without_either_header_a_request_passes():
    assert passes(sent())
    assert passes(sent(site="", origin=""))


@rows("method", ["POST", "PUT", "PATCH", "DELETE", "PURGE", "post", "get"])
def test_every_other_method_is_a_write(method):
    assert not passes(sent(method, site="cross-site", origin=EVIL))
    assert not passes(sent(method, origin=EVIL))


@rows("method", sorted(SAFE_METHODS))
def test_a_safe_method_may_come_from_anywhere(method):
    assert passes(sent(method, site="cross-site", origin=EVIL))


class TestTheRefusal:
    def refusal(self, **request):
        with pytest.raises(Forbidden) as caught:
            check_cross_site(sent(**request))
        return caught.value

    def test_names_the_origin(self):
        error = self.refusal(site="cross-site", origin=EVIL)
        assert error.problem()["type"] == PROBLEM_TYPE
        assert error.detail == "This write comes from a page on another site, at https://evil.example."

    @rows("origin, named", [("null", "'null'"), (None, "no origin"), ("https://" + "x y" * 999, "'https://x y")])
    def test_names_what_is_no_origin_in_short(self, origin, named):
        detail = self.refusal(site="cross-site", origin=origin).detail
        assert named in detail
        assert len(detail) < 400


class TestOrigins:
    @rows(
        "value, expected",
        ("https://shop.example.com", "https://shop.example.com"),
        ("HTTPS://Shop.Example.com:443", "https://shop.example.com"),
        ("http://localhost:5173", "http://localhost:5173"),
        ("http://localhost:80", "http://localhost"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("capacitor://localhost", "capacitor://localhost"),
        ("https://xn--mnchen-3ya.example", "https://xn--mnchen-3ya.example"),
    )
    def test_are_written_as_browsers_write_them(self, value, expected):
        assert origins([value]) == {expected}
        assert parse_origin(expected) == expected

    @rows(
        "value",
            "", "shop.example.com", "https://", "https://shop.example.com/", "https://shop.example.com?a",
            "https://shop.example.com#a", "https://u@shop.example.com", "//shop.example.com", "https://münchen.example",
            "https://*.example.com", " https://a.example", "https://a.example\n", "https://a.example:99999",
    )  # fmt: skip
    def test_are_nothing_else(self, value):
        with pytest.raises(ValueError, match="an origin must be a scheme, a host and perhaps a port"):
            origins([value])

    @rows(
        "values, message",
        [(["*"], "list the origins that may"), (["null"], "sandboxed"), ("https://a.example", "a list: ")],
    )
    def test_that_would_trust_everyone_are_refused(self, values, message):
        with pytest.raises(ValueError, match=message):
            origins(values)
