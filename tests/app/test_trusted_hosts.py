import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.adapters.asgi import ASGIHead
from antiphon.adapters.rsgi import RSGIHead
from antiphon.adapters.wsgi import WSGIHead
from antiphon.app.planning.request_checks import PROBLEM_TYPE, TrustedHosts
from antiphon.http.errors import BadRequest, HTTPError, MisdirectedRequest
from antiphon.http.head import Address, RequestHead
from antiphon.http.urls.path import check_host
from antiphon.request.proxies import TrustedProxies, behind
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

HOSTS = TrustedHosts(
    [
        "example.com",
        ".example.org",
        "localhost:8000",
        "[::1]",
        "[2001:db8::1]:8443",
        "192.0.2.1",
        "xn--mnchen-3ya.example",
    ]
)


def head(authority, scheme="http"):
    return RequestHead(headers={"host": authority}, scheme=scheme)


def status(hosts, authority, scheme="http"):
    try:
        hosts.check(head(authority, scheme))
    except HTTPError as error:
        return error.status
    return None


@rows(
    "authority",
        "example.com", "EXAMPLE.com", "example.com.", "example.com:80", "example.com:8443", "example.com:",
        "example.org", "example.org:1", "a.example.org", "A.b.c.Example.ORG.:8080", "localhost:8000", "[::1]",
        "[::1]:9", "[2001:DB8::1]:8443", "192.0.2.1", "192.0.2.1:8000", "xn--mnchen-3ya.example",
        "XN--MNCHEN-3YA.example",
)  # fmt: skip
def test_a_declared_host_is_answered_for(authority):
    assert status(HOSTS, authority) is None
    assert status(HOSTS, authority) is None


@rows(
    "authority",
        "evil.example", "www.example.com", "example.com.evil.example", "evilexample.org", "example.co", "com", "org",
        "localhost", "localhost:8001", "localhost:80", "[::2]", "[2001:db8::1]", "[2001:db8::1]:80", "192.0.2.2",
        "0.2.1", "1.192.0.2.1", "example.com.org", "example_org", "-", "_",
)  # fmt: skip
def test_another_host_is_refused_as_misdirected(authority):
    assert status(HOSTS, authority) == 421
    assert status(HOSTS, authority) == 421


@rows(
    "authority",
        "exam ple.com", "example.com:x", "example.com:99999", "user@example.com", "example.com/", "http://example.com",
        "example.com,example.com", "example.com, evil.example", "münchen.example", "::1", "[::1", "[::1]x",
        "[example.com]", "example.com..", ".example.org", "a..example.org", ".", "..", ":80", "*", "example.com#",
        "example.com\\.example.org", "example.com?.example.org", "a" * 300 + ".example.org",
        "a." * 50_000 + "example.org",
)  # fmt: skip
def test_a_malformed_host_is_a_bad_request(authority):
    assert status(HOSTS, authority) == 400
    assert status(TrustedHosts(["*"]), authority) == 400


@rows(
    "entry, scheme, authority, expected",
    ("example.com:443", "https", "example.com", None),
    ("example.com:443", "https", "example.com:443", None),
    ("example.com:443", "http", "example.com", 421),
    ("example.com:443", "https", "example.com:80", 421),
    ("example.com:80", "http", "example.com", None),
    (".example.com:8443", "https", "a.example.com:8443", None),
    (".example.com:8443", "https", "example.com:8443", None),
    (".example.com:8443", "https", "a.example.com", 421),
    ("Example.COM.", "http", "example.com", None),
    (".Example.COM.", "http", "a.example.com", None),
    ("[2001:DB8::1]", "http", "[2001:db8::1]:8000", None),
    ("*", "http", "whatever.example:81", None),
    ("*", "http", "[::1]", None),
)
def test_entries_may_have_ports_case_and_a_dot_at_the_end(entry, scheme, authority, expected):
    assert status(TrustedHosts([entry]), authority, scheme) == expected


@rows(
    "entry",
        "", ".", "..example.com", "example..com", "*.example.com", "https://example.com", "example.com/",
        "example.com:x", "example.com:99999", "user@example.com", "münchen.example", "::1", "[::1", ".[::1]",
        "10.0.0.0/8", " example.com", "example.com\n", "a, b", "*:8000", "a" * 301,
)  # fmt: skip
def test_nothing_else_is_a_trusted_host(entry):
    with pytest.raises(ValueError, match='a trusted host must be written as in a URL, such as "example'):
        TrustedHosts([entry])


def test_trusted_hosts_are_a_list():
    with pytest.raises(ValueError, match=r"must be a list: \['example.com'\]"):
        TrustedHosts("example.com")


def test_none_may_be_declared():
    assert not TrustedHosts([])
    assert TrustedHosts(iter(["*"]))
    assert repr(TrustedHosts(iter(["Example.com", "[::1]:80"]))) == "TrustedHosts(['Example.com', '[::1]:80'])"


NAMES = st.from_regex("[a-z][a-z0-9-]{0,5}", fullmatch=True)


@given(NAMES, NAMES, st.lists(NAMES, max_size=4))
def test_a_domain_holds_itself_and_all_below_it_alone(name, top, below):
    domain = f"{name}.{top}"
    hosts = TrustedHosts([f".{domain}"])
    assert status(hosts, ".".join([*below, domain])) is None
    assert status(hosts, "".join([*below, "x", domain])) == 421
    assert status(hosts, ".".join([domain, *below, "longer-than-these"])) == 421


@given(st.text(st.characters(codec="latin-1", exclude_categories=["Cc"])).map(str.strip))
def test_whatever_is_asked_for_is_answered_or_refused(authority):
    assert status(TrustedHosts(["a"]), authority) in (421, 400) or authority.lower().startswith("a")


class TestTheRefusal:
    def refusal(self, authority):
        with pytest.raises(HTTPError) as caught:
            HOSTS.check(head(authority))
        return caught.value

    def test_names_the_host_and_not_those_that_are_declared(self):
        error = self.refusal("Evil.example:8000")
        assert isinstance(error, MisdirectedRequest)
        assert error.problem()["type"] == PROBLEM_TYPE
        assert error.detail == "This application does not serve Evil.example:8000."


class Fields:
    """The header fields of an RSGI scope."""

    def __init__(self, *fields):
        self._fields = fields

    def get_all(self, name):
        return [value for key, value in self._fields if key == name]

    def __contains__(self, name):
        return bool(self.get_all(name))


class Scope:
    """What a head reads of an RSGI scope."""

    method, path, scheme, server, authority, http_version = "GET", "/", "http", "192.0.2.1:80", None, "1.1"

    def __init__(self, *hosts):
        self.headers = Fields(*[("host", host) for host in hosts])


def heads(*hosts):
    joined = {"HTTP_HOST": ",".join(hosts)} if hosts else {}
    server = {"SERVER_NAME": "192.0.2.1", "SERVER_PORT": "80"}
    scope = {"method": "GET", "path": "/", "headers": [(b"host", host.encode()) for host in hosts]}
    return [
        WSGIHead({"REQUEST_METHOD": "GET", "wsgi.url_scheme": "http", **server, **joined}),
        ASGIHead({**scope, "server": ("192.0.2.1", 80)}, None),
        RSGIHead(Scope(*hosts), None),
    ]


@rows("version", ["1.0", "1.1", "2", "3"])
@rows("which", range(3), ids=["wsgi", "asgi", "rsgi"])
def test_only_http_1_0_needs_no_host_line(which, version):
    line = heads()[which].host_line
    if version == "1.0":
        check_host(line, version)
        return
    with pytest.raises(BadRequest, match="There is no Host"):
        check_host(line, version)


@rows("which", range(3), ids=["wsgi", "asgi", "rsgi"])
def test_without_host_the_server_s_own_address_counts(which):
    HOSTS.check(heads()[which])
    with pytest.raises(MisdirectedRequest):
        TrustedHosts(["example.com"]).check(heads()[which])


def test_the_host_that_a_trusted_proxy_tells_counts():
    proxies = TrustedProxies(["10.0.0.1"], headers=["x-forwarded-host"])
    fields = {"host": "inner", "x-forwarded-host": "evil.example, example.com"}
    HOSTS.check(behind(RequestHead(headers=fields, client=Address("10.0.0.1", 1)), proxies))
    with pytest.raises(MisdirectedRequest):
        HOSTS.check(behind(RequestHead(headers=fields, client=Address("10.0.0.2", 1)), proxies))
