"""Tests behind nginx as a caching proxy: our header fields make it keep, revalidate, vary and slice responses."""

import gzip
import json
from contextlib import ExitStack
from http.client import HTTPConnection
from itertools import count

import pytest

from antiphon.features.compression import Compression
from tests.contract.process import ServerProcess
from tests.contract.servers import server
from tests.contract.wire import AUTHORITY, SentRequest
from tests.helpers.nginx import serve_by_nginx
from tests.helpers.rows import rows
from tests.helpers.served.cacheable import GREETINGS, LONG
from tests.helpers.system_programs import required_program
from tests.helpers.waiting import eventually

pytestmark = [pytest.mark.processes, pytest.mark.once]

APPLICATION = "tests.helpers.served.cacheable:app"
CONTENT = bytes(range(256)) * 2
CODINGS = [*Compression().codings, "identity"]

nginx = required_program("nginx")
numbers = count(1)


class Site:
    """An application behind nginx, asked for URLs that no other test asks for."""

    def __init__(self, proxy, application):
        self._proxy = proxy
        self._application = application
        self._query = f"test={next(numbers)}"

    def ask(self, path, method="GET", **fields):
        given = tuple((name.replace("_", "-"), value) for name, value in fields.items())
        return self._proxy.respond(SentRequest(method, self._target(path), given))

    def asked(self, path):
        """Return the requests that reached the application, each with the status of its response."""
        target = self._target(path).replace("?", "%3F").replace("&", "%26")
        return json.loads(self._application.respond(SentRequest("GET", f"/asked?target={target}")).body)

    def ask_again(self, path, **fields):
        """Ask until the cached response is stale, and return the response to the first request after that."""

        def look():
            response = self.ask(path, **fields)
            return None if cache_status(response) == "HIT" else response

        return eventually(look, "the cached response stays fresh")

    def _target(self, path):
        return f"{path}{'&' if '?' in path else '?'}{self._query}"


def cache_status(response):
    return ", ".join(response.values("x-cache"))


def outcome(response):
    assert response.whole
    return cache_status(response), response.status, response.body


@pytest.fixture(scope="module")
def served(nginx, tmp_path_factory):
    with ServerProcess(server("Granian, ASGI").command, APPLICATION) as application:
        upstream = f"127.0.0.1:{application.port}"
        with serve_by_nginx(nginx, tmp_path_factory.mktemp("nginx"), upstream) as proxy:
            yield proxy, application


@pytest.fixture
def site(served):
    return Site(*served)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("content") / "content"
    path.write_bytes(CONTENT)
    return path


class TestWhatIsKept:
    def test_is_not_asked_for_again(self, site):
        first, second = site.ask("/page/public"), site.ask("/page/public")
        assert outcome(first) == ("MISS", 200, b"a page")
        assert outcome(second) == ("HIT", 200, b"a page")
        assert second.values("etag") == first.values("etag")
        assert site.asked("/page/public") == ["GET 200"]

    @pytest.mark.parametrize("policy", ["private", "no-store", "cookie", "unsaid"])
    def test_is_nothing_that_is_not_for_all(self, site, policy):
        for _ in range(2):
            assert outcome(site.ask(f"/page/{policy}")) == ("MISS", 200, b"a page")
        assert site.asked(f"/page/{policy}") == ["GET 200", "GET 200"]

    def test_is_no_error_even_where_the_proxy_would_keep_it(self, site):
        assert site.ask("/nowhere", accept="text/html").values("content-type") == ["text/html; charset=utf-8"]
        assert site.ask("/nowhere", accept="text/html").status == 404
        assert site.ask("/nowhere").values("content-type") == ["application/problem+json"]
        assert len(site.asked("/nowhere")) == 3

    def test_is_no_answer_to_a_write(self, site):
        for _ in range(2):
            assert site.ask("/page/public", "POST", content_length="0").body == b"a page"
        assert site.asked("/page/public") == ["POST 200", "POST 200"]

    @pytest.mark.parametrize("first", ["GET", "HEAD"])
    def test_answers_head_too(self, site, first):
        site.ask("/page/public", first)
        head = site.ask("/page/public", "HEAD")
        assert outcome(head) == ("HIT", 200, b"")
        assert head.values("content-length") == ["6"]
        assert outcome(site.ask("/page/public")) == ("HIT", 200, b"a page")
        assert site.asked("/page/public") == ["GET 200"]

    def test_may_be_a_stream(self, site):
        for status in ("MISS", "HIT"):
            assert outcome(site.ask("/stream")) == (status, 200, b"onetwo")

    def test_is_no_stream_that_failed(self, site):
        for _ in range(2):
            assert not site.ask("/stream?fails=yes").whole
        assert site.asked("/stream?fails=yes") == ["GET 200", "GET 200"]

    def test_answers_conditions(self, site):
        etag = site.ask("/page/public").values("etag")[0]
        response = site.ask("/page/public", if_none_match=etag)
        assert outcome(response) == ("HIT", 304, b"")
        assert response.values("etag") == [etag]
        assert outcome(site.ask("/page/public", if_none_match='"other"')) == ("HIT", 200, b"a page")
        assert site.asked("/page/public") == ["GET 200"]

    def test_is_a_whole_although_the_first_client_had_it(self, site):
        etag = site.ask("/page/unsaid").values("etag")[0]
        assert site.ask("/page/public", if_none_match=etag).status == 304
        assert outcome(site.ask("/page/public")) == ("HIT", 200, b"a page")


class TestWhatIsTooOld:
    def test_is_asked_for_by_its_tag(self, site):
        site.ask("/page/short")
        assert outcome(site.ask_again("/page/short")) == ("REVALIDATED", 200, b"a page")
        assert site.asked("/page/short") == ["GET 200", "GET 304"]

    def test_is_replaced_where_it_changed(self, site):
        site.ask("/changing")
        assert outcome(site.ask_again("/changing")) == ("EXPIRED", 200, b"answer 1")

    def test_is_asked_for_in_its_coding(self, site):
        site.ask("/long/short", accept_encoding="gzip")
        response = site.ask_again("/long/short", accept_encoding="gzip")
        assert (cache_status(response), response.values("content-encoding")) == ("REVALIDATED", ["gzip"])
        assert gzip.decompress(response.body).decode() == LONG
        assert site.asked("/long/short") == ["GET 200", "GET 304"]


class TestVariants:
    @pytest.mark.parametrize("path", ["/declared", "/negotiated"])
    def test_of_languages_are_kept_apart(self, site, path):
        for status in ("MISS", "HIT"):
            for language in ("de", "en"):
                response = site.ask(path, accept_language=language)
                assert outcome(response) == (status, 200, GREETINGS[language].encode())
        assert site.asked(path) == ["GET 200", "GET 200"]

    def test_of_types_are_kept_apart(self, site):
        for status in ("MISS", "HIT"):
            assert outcome(site.ask("/typed", accept="text/html")) == (status, 200, b"<p>html")
            assert outcome(site.ask("/typed", accept="application/json")) == (status, 200, b'{"kind":"json"}')

    def test_of_origins_are_kept_apart(self, site):
        for origin in ("https://a.example", "https://b.example", "https://c.example"):
            response = site.ask("/page/public", origin=origin)
            allowed = [] if origin == "https://c.example" else [origin]
            assert response.values("access-control-allow-origin") == allowed

    def test_of_codings_are_kept_apart(self, site):
        for status in ("MISS", "HIT"):
            for coding in CODINGS:
                response = site.ask("/long/public", accept_encoding=coding)
                assert cache_status(response) == status
                assert response.values("content-encoding") == ([] if coding == "identity" else [coding])
                assert (response.body == LONG.encode()) == (coding == "identity")
        assert site.asked("/long/public") == ["GET 200"] * len(CODINGS)

    def test_that_are_compressed_answer_conditions(self, site):
        etag = site.ask("/long/public", accept_encoding="gzip").values("etag")[0]
        assert etag.startswith("W/")
        assert outcome(site.ask("/long/public", accept_encoding="gzip", if_none_match=etag)) == ("HIT", 304, b"")


@rows("path, is_kept", ("/tenant", True), ("/tenant/kept/", True), ("/tenant/broken", True), ("/tenant/of-all", False))
@rows("first", [{}, {"cache_control": "no-store"}, {"range": "bytes=0-"}])
def test_tenants_get_their_own_pages_whatever_the_first_one_asks_for(served, path, is_kept, first):
    site = Site(*served)
    site.ask(path, x_tenant="eve", **first)
    seen = [site.ask(path, x_tenant=name) for name in ("ann", "bob", "ann", "bob")]
    assert [each.body for each in seen] == [b"page of ann", b"page of bob"] * 2
    assert site.ask(path).body == b"page of None"
    assert cache_status(seen[-1]) == ("HIT" if is_kept else "MISS")


class TestParts:
    def test_come_from_the_cache(self, site, path):
        whole = site.ask(f"/file?path={path}")
        part = site.ask(f"/file?path={path}", range="bytes=250-259")
        assert outcome(part) == ("HIT", 206, CONTENT[250:260])
        assert part.values("content-range") == [f"bytes 250-259/{len(CONTENT)}"]
        assert part.values("etag") == whole.values("etag")
        assert site.ask(f"/file?path={path}", range="bytes=9999-").status == 416
        assert site.asked(f"/file?path={path}") == ["GET 200"]

    def test_are_no_wholes_although_the_first_client_wanted_one(self, site, path):
        assert outcome(site.ask(f"/file?path={path}", range="bytes=-5")) == ("MISS", 206, CONTENT[-5:])
        assert outcome(site.ask(f"/file?path={path}")) == ("HIT", 200, CONTENT)

    def test_are_fetched_alone_and_put_together(self, site, path):
        target = f"/sliced?path={path}"
        assert site.ask(target, range="bytes=150-250").body == CONTENT[150:251]
        assert site.asked(target) == ["GET 206", "GET 206"]
        whole = site.ask(target)
        assert (whole.status, whole.body) == (200, CONTENT)
        assert site.asked(target) == ["GET 206"] * 6


def answered(port, target, **fields):
    """Return the JSON that answers a client at 127.0.0.2, which is not a trusted proxy."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10, source_address=("127.0.0.2", 0))
    given = {name.replace("_", "-"): value for name, value in fields.items()}
    connection.request("GET", target, headers={"Host": AUTHORITY} | given)
    with connection.getresponse() as response:
        body = response.read()
    connection.close()
    assert response.status == 200, body
    return json.loads(body)


@pytest.fixture(scope="module", params=["Granian, ASGI", "Gunicorn, gthread by unix", "Hypercorn by unix"])
def port(request, nginx, tmp_path_factory):
    name, _, by_unix = request.param.partition(" by ")
    folder = tmp_path_factory.mktemp("nginx")
    upstream = f"unix:{folder / 'socket'}"
    command = (*server(name).command, "--bind", upstream) if by_unix else server(name).command
    with ExitStack() as stack:
        application = stack.enter_context(ServerProcess(command, APPLICATION))
        if not by_unix:
            upstream = f"127.0.0.1:{application.port}"
        yield stack.enter_context(serve_by_nginx(nginx, folder, upstream)).port


class TestOuterAddress:
    @rows("prefix", ["", "/inner"])
    def test_is_the_one_that_was_asked_for(self, port, prefix):
        assert answered(port, f"{prefix}/where?a=1") == {
            "ip": "127.0.0.2",
            "url": f"https://{AUTHORITY}{prefix}/where?a=1",
            "path": f"{prefix}/where",
            "absolute": f"https://{AUTHORITY}{prefix}/where",
            "is_secure": True,
        }

    def test_is_not_what_a_client_says(self, port):
        forged = {
            "x_forwarded_for": "6.6.6.6",
            "x_forwarded_host": "evil.example",
            "x_forwarded_prefix": "/evil",
            "x_forwarded_proto": "http",
            "forwarded": "for=6.6.6.6;host=evil.example",
        }
        assert answered(port, "/where", **forged) == answered(port, "/where")
