import io
import logging
from ipaddress import ip_address

import gunicorn
import pytest
from hypothesis import given
from hypothesis import strategies as st
from waitress.adjustments import Adjustments
from werkzeug.middleware.proxy_fix import ProxyFix

from antiphon.adapters.asgi import ASGIHead
from antiphon.adapters.wsgi import WSGIHead
from antiphon.http.head import Address, RequestHead
from antiphon.request.proxies import MOST_HOPS, NAMES_ARE_EXACT, ForwardedHead, TrustedProxies, behind
from antiphon.request.request import Request
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

PROXIES = ["10.0.0.0/8", "2001:db8:f::/48", "unix"]
PEER = Address("10.0.0.1", 4000)
ALL = ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-port", "x-forwarded-prefix"]
X_FORWARDED = TrustedProxies(PROXIES, headers=ALL)
FORWARDED = TrustedProxies(PROXIES, headers=["forwarded"])
NOISE = st.text(st.sampled_from('",;=\\ \t[]:for1.') | st.characters(codec="latin-1", exclude_categories=["Cc"]))


def field_text(text):
    return text.strip(" \t")


def sent(headers=(), client=PEER, **more):
    return RequestHead(headers=headers, client=client, authority="inner:8000", **more)


def told(headers, proxies=X_FORWARDED, **more):
    head = behind(sent(headers, **more), proxies)
    return head.client, head.scheme, head.authority


class TestTrustedProxies:
    @rows(
        "address, expected",
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("2001:DB8:F::1", True),
        (Address("10.1.2.3", 80), True),
        (Address("::ffff:10.1.2.3", None), True),
        (None, True),
        (Address("/run/app.sock", None), True),
        ("localhost", True),
        ("unix:", True),
        ("11.1.2.3", False),
        ("2001:db8:e::1", False),
        ("", False),
        ("unknown", False),
        ("10.1.2.3:80", False),
        ("unix", False),
        (10, False),
        (b"10.1.2.3", False),
    )
    def test_hold_addresses(self, address, expected):
        assert (address in X_FORWARDED) is expected

    @rows("address", [None, "", "localhost", "/run/app.sock", "unix:", Address("localhost", None)])
    def test_hold_no_unix_socket_that_was_not_declared(self, address):
        assert address not in TrustedProxies(["10.0.0.0/8", "::1"])

    @rows("networks", [["*"], ["10.0.0.0/8", "*"], ["0.0.0.0/0"], ["::/0"], ["0.0.0.0/0.0.0.0"]])
    def test_are_not_everyone(self, networks):
        with pytest.raises(ValueError, match="list the addresses of the proxies"):
            TrustedProxies(networks)

    @rows("network", ["10.0.0.1/8", "proxy.example", "", "Unix", "10.0.0.0/8 ", "10.0.0.1:80"])
    def test_are_networks_and_unix(self, network):
        with pytest.raises(
            ValueError, match=r'trusted proxies must be IP addresses, networks or "unix": .*"10\.0\.0\.0/8"'
        ):
            TrustedProxies([network])

    def test_are_a_list(self):
        with pytest.raises(ValueError, match=r"(?m)^trusted proxies must be a list: \['10\.0\.0\.0/8'\]$"):
            TrustedProxies("10.0.0.0/8")
        with pytest.raises(ValueError, match=r"(?m)^the headers of trusted proxies must be a list: \['forwarded'\]$"):
            TrustedProxies(["10.0.0.0/8"], headers="forwarded")

    @rows(
        "headers",
            [], ["x-real-ip"], ["forwarded", "x-forwarded-for"], ["forwarded", "x-forwarded-host"],
            ["x-forwarded-for", "via"], ["x_forwarded_for"],
    )  # fmt: skip
    def test_set_headers_of_one_kind(self, headers):
        with pytest.raises(ValueError, match="clients could set"):
            TrustedProxies(PROXIES, headers=headers)

    def test_set_headers_whose_names_have_no_case(self):
        assert TrustedProxies([], headers=["Forwarded", "X-Forwarded-Prefix"]).headers == {
            "forwarded",
            "x-forwarded-prefix",
        }
        assert TrustedProxies([]).headers == {"x-forwarded-for", "x-forwarded-proto"}

    def test_may_be_none(self):
        assert not TrustedProxies([])
        assert None not in TrustedProxies([])
        assert TrustedProxies(["unix"])
        assert repr(TrustedProxies(iter(["unix", "::1"]))) == (
            "TrustedProxies(['unix', '::1'], headers=['x-forwarded-for', 'x-forwarded-proto'])"
        )


EVERYTHING = {
    "forwarded": "for=6.6.6.6;proto=https;host=evil.example",
    "x-forwarded-for": "6.6.6.6",
    "x-forwarded-proto": "https",
    "x-forwarded-host": "evil.example",
    "x-forwarded-port": "666",
    "x-forwarded-prefix": "/evil",
}


class TestWhoIsBelieved:
    @rows("proxies", [X_FORWARDED, FORWARDED, TrustedProxies([])])
    @rows("client", [Address("192.0.2.1", 80), Address("example.com", None), Address("", None)])
    def test_a_peer_that_is_no_proxy_leaves_the_head_as_it_is(self, proxies, client):
        head = sent(EVERYTHING, client)
        assert behind(head, proxies) is head

    def test_a_peer_without_an_address_is_believed_only_where_unix_is_declared(self):
        head = sent(EVERYTHING, None)
        assert behind(head, TrustedProxies(["10.0.0.0/8"])) is head
        assert behind(head, X_FORWARDED).client == Address("6.6.6.6", None)

    @rows(
        "headers, expected",
        (["forwarded"], ("6.6.6.6", "https", "evil.example", "")),
        (["x-forwarded-for"], ("6.6.6.6", "http", "inner:8000", "")),
        (["x-forwarded-proto"], ("10.0.0.1", "https", "inner:8000", "")),
        (["x-forwarded-host"], ("10.0.0.1", "http", "evil.example", "")),
        (["x-forwarded-port"], ("10.0.0.1", "http", "inner:666", "")),
        (["x-forwarded-prefix"], ("10.0.0.1", "http", "inner:8000", "/evil")),
        (["x-forwarded-for", "x-forwarded-proto"], ("6.6.6.6", "https", "inner:8000", "")),
    )
    def test_only_headers_that_are_declared_are(self, headers, expected):
        head = behind(sent(EVERYTHING), TrustedProxies(PROXIES, headers=headers))
        assert (head.client.host, head.scheme, head.authority, head.root_path) == expected

    def test_by_default_no_host_and_no_prefix_is(self):
        head = behind(sent(EVERYTHING), TrustedProxies(PROXIES))
        assert (head.client.host, head.scheme, head.authority, head.root_path) == ("6.6.6.6", "https", "inner:8000", "")

    @rows("proxies", [X_FORWARDED, FORWARDED])
    def test_without_a_header_all_is_as_the_server_saw_it(self, proxies):
        head = behind(sent(root_path="/mount"), proxies)
        assert (head.client, head.scheme, head.authority, head.root_path) == (PEER, "http", "inner:8000", "/mount")


class TestXForwardedFor:
    @rows(
        "value, client",
        ("192.0.2.1", ("192.0.2.1", None)),
        ("6.6.6.6, 192.0.2.1", ("192.0.2.1", None)),
        ("6.6.6.6, 192.0.2.1, 10.0.0.2", ("192.0.2.1", None)),
        ("10.6.6.6, 192.0.2.1, 10.0.0.2,10.0.0.3", ("192.0.2.1", None)),
        ("192.0.2.1:4711", ("192.0.2.1", 4711)),
        ("192.0.2.1:0", ("192.0.2.1", None)),
        ("[2001:DB8::1]:4711, 10.0.0.2:80", ("2001:db8::1", 4711)),
        ("2001:db8:0:0::1,2001:db8:f::1", ("2001:db8::1", None)),
        ("::ffff:192.0.2.1, ::ffff:10.0.0.2", ("192.0.2.1", None)),
        ("192.0.2.1, unix:", ("192.0.2.1", None)),
        ("10.0.0.3, 10.0.0.2", ("10.0.0.3", None)),
        ("10.0.0.2", ("10.0.0.2", None)),
    )
    def test_is_read_up_to_the_first_that_is_no_proxy(self, value, client):
        assert behind(sent({"x-forwarded-for": value}), X_FORWARDED).client == client

    @rows(
        "value",
            "", ",", "192.0.2.1,", "192.0.2.1, ,10.0.0.2", "192.0.2.1, unknown", "192.0.2.1, _hidden",
            "192.0.2.1, nobody",
            "192.0.2.1, 10.0.0.2 10.0.0.3", "192.0.2.1, 10.0.0.999, 10.0.0.2", "192.0.2.1, example.com", "unix:",
            "192.0.2.1, 10.0.0.2:x", "192.0.2.1, localhost, 10.0.0.2", "192.0.2.1, unix:/run/a.sock",
    )  # fmt: skip
    def test_knows_no_client_behind_what_is_hidden_or_malformed(self, value):
        assert behind(sent({"x-forwarded-for": value}), X_FORWARDED).client is None

    def test_knows_no_client_behind_a_unix_socket_that_is_not_trusted(self):
        proxies = TrustedProxies(["10.0.0.0/8"])
        assert behind(sent({"x-forwarded-for": "192.0.2.1, unix:"}), proxies).client is None

    def test_lines_are_one_list(self):
        lines = [
            ("x-forwarded-for", "6.6.6.6"),
            ("x-forwarded-for", "192.0.2.1, 10.0.0.2"),
            ("x-forwarded-for", "10.0.0.3"),
        ]
        assert behind(sent(lines), X_FORWARDED).client == ("192.0.2.1", None)

    def test_is_looked_through_so_far_only(self):
        chain = [f"10.0.0.{number}" for number in range(100)]
        head = behind(sent({"x-forwarded-for": ", ".join(chain)}), X_FORWARDED)
        assert head.client == (chain[-MOST_HOPS], None)

    @given(NOISE.map(field_text), st.ip_addresses().map(str).filter(lambda address: address not in X_FORWARDED))
    def test_a_client_cannot_change_who_it_is(self, noise, address):
        head = behind(sent({"x-forwarded-for": f"{noise}, {address}"}), X_FORWARDED)
        assert head.client == X_FORWARDED.find(address)[0] is not None

    @given(NOISE.map(field_text), st.lists(st.sampled_from(["10.0.0.2", "2001:db8:f::1", "unix:"])))
    def test_a_client_is_an_address_or_not_known(self, noise, chain):
        client = behind(sent({"x-forwarded-for": ", ".join([noise, *chain])}), X_FORWARDED).client
        assert client is None or ip_address(client.host)


class TestTheOtherXForwarded:
    @rows(
        "value, scheme",
        ("https", "https"),
        ("HTTPS", "https"),
        ("http", "http"),
        ("http, https", "https"),
        ("https, http", "http"),
        ("https,", "http"),
        ("", "http"),
        ("wss", "http"),
        ("javascript", "http"),
        ("https://", "http"),
    )
    def test_of_schemes_the_last_counts(self, value, scheme):
        assert told({"x-forwarded-proto": value})[1] == scheme
        assert told({"x-forwarded-proto": "http"}, scheme="https")[1] == "http"

    @rows(
        "value, authority",
        ("example.com", "example.com"),
        ("example.com:8443", "example.com:8443"),
        ("evil.example, example.com", "example.com"),
        ("[2001:db8::1]:80", "[2001:db8::1]:80"),
        ("", "inner:8000"),
        ("example.com,", "inner:8000"),
        ("a b", "a b"),
    )
    def test_of_hosts_the_last_counts(self, value, authority):
        assert told({"x-forwarded-host": value})[2] == authority

    @rows(
        "headers, authority",
        ({"x-forwarded-port": "8443"}, "inner:8443"),
        ({"x-forwarded-port": "80"}, "inner"),
        ({"x-forwarded-port": "443"}, "inner:443"),
        ({"x-forwarded-port": "443", "x-forwarded-proto": "https"}, "inner"),
        ({"x-forwarded-port": "80, 443", "x-forwarded-proto": "https"}, "inner"),
        ({"x-forwarded-port": "8443", "x-forwarded-host": "Example.com:80"}, "example.com:8443"),
        ({"x-forwarded-port": "8443", "x-forwarded-host": "[::1]"}, "[::1]:8443"),
        ({"x-forwarded-port": "443", "x-forwarded-proto": "https", "x-forwarded-host": "[::1]:80"}, "[::1]"),
        ({"x-forwarded-port": "0"}, "inner:8000"),
        ({"x-forwarded-port": "x"}, "inner:8000"),
        ({"x-forwarded-port": "443", "x-forwarded-host": "a b"}, "a b"),
    )
    def test_the_port_replaces_that_of_the_host(self, headers, authority):
        assert told(headers)[2] == authority

    @rows(
        "value, root_path",
        ("/api", "/api/mount"),
        ("/", "/mount"),
        ("/evil, /api/", "/api/mount"),
        ("/caf%C3%A9", "/café/mount"),
        ("//evil.example", "/mount"),
        ("/a/../b", "/mount"),
        ("", "/mount"),
    )
    def test_the_prefix_comes_before_the_server_s_root_path(self, value, root_path):
        head = behind(sent({"x-forwarded-prefix": value}, root_path="/mount"), X_FORWARDED)
        assert head.root_path == head.root_path == root_path

    @given(NOISE.map(field_text))
    def test_what_a_client_wrote_before_them_changes_nothing(self, noise):
        written = {"x-forwarded-proto": "https", "x-forwarded-host": "example.com:81", "x-forwarded-prefix": "/api"}
        head = behind(sent({name: f"{noise}, {value}" for name, value in written.items()}), X_FORWARDED)
        assert (head.scheme, head.authority, head.root_path) == ("https", "example.com:81", "/api")


class TestForwarded:
    @rows(
        "value, expected",
        ("for=192.0.2.1", ("192.0.2.1", None, "http", "inner:8000")),
        ("for=192.0.2.1;proto=https;host=example.com", ("192.0.2.1", None, "https", "example.com")),
        ('for="192.0.2.1:4711";proto=HTTPS', ("192.0.2.1", 4711, "https", "inner:8000")),
        ('for="[2001:DB8::1]";host="example.com:81"', ("2001:db8::1", None, "http", "example.com:81")),
        ("for=6.6.6.6;host=evil.example, for=192.0.2.1", ("192.0.2.1", None, "http", "inner:8000")),
        (
            "for=6.6.6.6;host=evil.example, for=192.0.2.1;host=example.com;proto=https, for=10.0.0.2;host=b",
            ("192.0.2.1", None, "https", "example.com"),
        ),
        ("for=192.0.2.1, for=10.0.0.2;host=b;proto=https", ("192.0.2.1", None, "https", "b")),
        ("for=10.0.0.3;proto=https, for=10.0.0.2;host=b", ("10.0.0.3", None, "https", "b")),
        ('for="[::ffff:192.0.2.1]", for="[::ffff:10.0.0.2]:80"', ("192.0.2.1", None, "http", "inner:8000")),
        ('for="192.0.2.1;proto=https, for=192.0.2.2', ("192.0.2.2", None, "http", "inner:8000")),
        ('", for=192.0.2.2;proto=https', ("192.0.2.2", None, "https", "inner:8000")),
        ("for=192.0.2.1;proto=wss", ("192.0.2.1", None, "http", "inner:8000")),
        ('for=192.0.2.1;host="a b"', ("192.0.2.1", None, "http", "a b")),
        ('for=192.0.2.1;host=""', ("192.0.2.1", None, "http", "inner:8000")),
    )
    def test_is_read_up_to_the_first_that_is_no_proxy(self, value, expected):
        (host, port, *rest) = expected
        assert told({"forwarded": value}, FORWARDED) == (Address(host, port), *rest)

    @rows(
        "value, expected",
        ("for=unknown;proto=https;host=example.com", ("https", "example.com")),
        ("for=6.6.6.6;host=evil.example, for=_hidden;proto=https", ("https", "inner:8000")),
        ("for=6.6.6.6;host=evil.example, proto=https", ("https", "inner:8000")),
        ("for=6.6.6.6;host=evil.example,", ("http", "inner:8000")),
        ("for=6.6.6.6;host=evil.example, ,for=10.0.0.2", ("http", "inner:8000")),
        ("for=192.0.2.1;host=evil.example, x, for=10.0.0.2;proto=https;host=a", ("https", "a")),
        ("for=6.6.6.6, for=10.0.0.3;for=10.0.0.4;host=evil.example, for=10.0.0.2", ("http", "inner:8000")),
        ('for=6.6.6.6, for=10.0.0.2;host="', ("http", "inner:8000")),
        ("for=2001:db8::1;proto=https", ("http", "inner:8000")),
    )
    def test_knows_no_client_behind_what_is_hidden_or_malformed(self, value, expected):
        assert told({"forwarded": value}, FORWARDED) == (None, *expected)

    def test_is_looked_through_so_far_only(self):
        chain = [f"for=10.0.0.{number};host=h{number}" for number in range(100)]
        expected = Address(f"10.0.0.{100 - MOST_HOPS}", None), "http", f"h{100 - MOST_HOPS}"
        assert told({"forwarded": ", ".join(chain)}, FORWARDED) == expected

    @given(NOISE.map(field_text))
    def test_what_a_client_wrote_before_it_changes_nothing(self, noise):
        value = f'{noise}, for="[2001:db8::7]:80";host="example.com";proto=https, for=10.0.0.2;proto=http;host=inner'
        expected = Address("2001:db8::7", 80), "https", "example.com"
        assert told({"forwarded": value}, FORWARDED) == expected

    @given(NOISE.map(field_text))
    def test_nothing_is_ever_raised(self, noise):
        told({"forwarded": noise}, FORWARDED)


class TestProxyFix:
    """Werkzeug's ProxyFix, told to look through one proxy, sees the same of a request that came through one."""

    @given(
        st.lists(st.ip_addresses(v=4).map(str).filter(lambda address: address not in X_FORWARDED), min_size=1),
        st.lists(st.sampled_from(["http", "https"]), min_size=1),
        st.lists(st.sampled_from(["example.com", "example.com:81", "localhost"]), min_size=1),
        st.lists(st.sampled_from(["/api", "/a/b"]), min_size=1),
    )
    def test_sees_the_same(self, addresses, schemes, hosts, prefixes):
        headers = {
            "x-forwarded-for": ", ".join(addresses),
            "x-forwarded-proto": ",".join(schemes),
            "x-forwarded-host": ",".join(hosts),
            "x-forwarded-prefix": ", ".join(prefixes),
        }
        environ = {
            "REMOTE_ADDR": PEER.host,
            "wsgi.url_scheme": "http",
            "HTTP_HOST": "inner:8000",
            **{"HTTP_" + name.upper().replace("-", "_"): value for name, value in headers.items()},
        }
        seen = {}
        ProxyFix(lambda environ, _: seen.update(environ) or (), x_host=1, x_prefix=1)(environ, None)
        head = behind(sent(headers), X_FORWARDED)
        assert (head.client.host, head.scheme, head.authority, head.root_path) == (
            seen["REMOTE_ADDR"],
            seen["wsgi.url_scheme"],
            seen["HTTP_HOST"],
            seen["SCRIPT_NAME"],
        )


def environ(**more):
    return {
        "REQUEST_METHOD": "GET",
        "wsgi.url_scheme": "http",
        "SERVER_NAME": "inner",
        "SERVER_PORT": "8000",
        "REMOTE_ADDR": "10.0.0.1",
        "HTTP_X_FORWARDED_FOR": "192.0.2.1",
        **more,
    }


class TestOverWSGI:
    @rows(
        "software",
        [gunicorn.SERVER_SOFTWARE, Adjustments.ident, "gunicorn/22.0.0", "gunicorn/30.1.dev1+local", "gunicorn/100.0"],
    )
    def test_a_server_that_drops_names_with_an_underscore_is_believed(self, software, caplog):
        head = behind(WSGIHead(environ(SERVER_SOFTWARE=software)), X_FORWARDED)
        assert head.client == ("192.0.2.1", None)
        assert not caplog.records

    @rows(
        "software",
            "Granian", "WSGIServer/0.2", "gunicorn/21.2.0", "gunicorn/2.0", "gunicorn", "gunicorn/", "waitress2",
            "nginx", "not gunicorn/23.0.0", "", None,
    )  # fmt: skip
    def test_another_is_not_and_that_is_logged_once(self, software, caplog):
        proxies = TrustedProxies(PROXIES)
        head = WSGIHead(environ(SERVER_SOFTWARE=software))
        with caplog.at_level(logging.WARNING, "antiphon"):
            hidden = [behind(head, proxies) for _ in range(2)]
        assert [(each.client, Request(each).ip, each.scheme) for each in hidden] == [(None, None, "http")] * 2
        (record,) = caplog.records
        assert (software or "a server without a name") in record.getMessage()
        assert "over ASGI, or with gunicorn or waitress" in record.getMessage()

    def test_nothing_is_logged_of_a_peer_that_is_no_proxy(self, caplog):
        head = WSGIHead(environ(REMOTE_ADDR="192.0.2.9"))
        assert behind(head, TrustedProxies(PROXIES)) is head
        assert not caplog.records

    def test_another_is_believed_where_its_environ_says_that_names_are_exact(self, caplog):
        head = behind(WSGIHead(environ(**{NAMES_ARE_EXACT: True})), X_FORWARDED)
        assert head.client == ("192.0.2.1", None)
        assert not caplog.records

    def test_a_client_cannot_say_so(self):
        said = {"HTTP_ANTIPHON.NAMES_ARE_EXACT": "1", "HTTP_SERVER_SOFTWARE": "waitress"}
        assert behind(WSGIHead(environ(**said)), TrustedProxies(PROXIES)).client is None


class TestForwardedHead:
    HEADERS = ((b"x-forwarded-for", b"192.0.2.1"), (b"x-forwarded-prefix", b"/api"), (b"content-length", b"2"))

    def scope(self):
        return {
            "method": "POST",
            "path": "/a b",
            "raw_path": b"/a%20b",
            "query_string": b"x=1",
            "headers": list(self.HEADERS),
            "http_version": "2",
            "client": ("10.0.0.1", 4000),
            "server": ("inner", 8000),
        }

    def test_has_the_rest_from_the_server(self):
        async def receive():
            return {"type": "http.request", "body": b"{}"}

        inner = ASGIHead(self.scope(), receive)
        head = behind(inner, X_FORWARDED)
        assert isinstance(head, ForwardedHead)
        assert head.inner is inner
        assert (head.method, head.path, head.raw_path, head.query_string) == ("POST", "/a b", b"/a%20b", b"x=1")
        assert (head.http_version, head.blocks, head.has_body) == ("2", False, True)
        assert (head.header_size, head.has_limited_size) == (inner.header_size, True)
        assert head.field("content-length") == "2"
        assert head.field("x") is None
        assert head.fields() == inner.fields()
        assert head.receive() == b"{}"

    def test_tells_of_a_body_that_blocks(self):
        variables = {"wsgi.input": io.BytesIO(b"{}"), "CONTENT_LENGTH": "2", "SERVER_SOFTWARE": "waitress"}
        head = behind(WSGIHead(environ(**variables)), X_FORWARDED)
        assert isinstance(head, ForwardedHead)
        assert (head.blocks, head.has_body) == (True, True)
        assert Request(head).body == b"{}"

    def test_is_what_a_request_shows(self):
        headers = {
            "x-forwarded-for": "192.0.2.1:4711, 10.0.0.2",
            "x-forwarded-proto": "https",
            "x-forwarded-host": "shop.example.com",
            "x-forwarded-port": "8443",
            "x-forwarded-prefix": "/api",
        }
        request = Request(behind(sent(headers, path="/a", query_string=b"b=1"), X_FORWARDED))
        assert (request.client, request.ip) == (("192.0.2.1", 4711), "192.0.2.1")
        assert (request.scheme, request.is_secure, request.host, request.port) == (
            "https",
            True,
            "shop.example.com",
            8443,
        )
        assert (request.root_path, request.path) == ("/api", "/a")
        assert request.url == "https://shop.example.com:8443/api/a?b=1"

    def test_reads_headers_when_it_is_asked_and_once(self):
        looked_up = []

        class Counting(RequestHead):
            def field(self, name):
                looked_up.append(name)
                return super().field(name)

        head = behind(Counting(headers=EVERYTHING, client=PEER, authority="inner"), X_FORWARDED)
        assert not looked_up
        for _ in range(3):
            assert (head.client.host, head.scheme, head.authority) == ("6.6.6.6", "https", "evil.example:666")
            assert head.root_path == "/evil"
        assert sorted(looked_up) == sorted(ALL)

    def test_seen_through_the_same_proxies_again_says_the_same(self):
        once = behind(sent({"x-forwarded-for": "6.6.6.6, nobody", "x-forwarded-proto": "https"}), X_FORWARDED)
        twice = behind(once, X_FORWARDED)
        assert (once.client, once.scheme, once.authority) == (twice.client, twice.scheme, twice.authority)
