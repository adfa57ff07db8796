"""Compression with dictionaries (RFC 9842): which responses take part, and that nothing private does."""

from base64 import b64encode
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon import App, Request, Response
from antiphon.features import Cache, Compression, MemoryStore, Sessions, SQLiteStore, StoreUnavailable
from antiphon.features.codings import ZSTD
from antiphon.features.dictionaries import LARGEST, Dictionaries, _Dcz
from antiphon.testing import Client
from tests.helpers.decompression import decompressed

zstd = pytest.importorskip(ZSTD)

pytestmark = [pytest.mark.once, pytest.mark.axes("interface")]

ACCEPTED = "gzip, br, zstd, dcb, dcz"
PAGE = "<!doctype html><title>Lamp {}</title><nav>" + "".join(f"<a href='/{n * 7919}'>{n**5}</a>" for n in range(99))
PUBLIC = {"cache-control": "public, max-age=60"}


@pytest.fixture
def shop():
    """An app whose lamps are public pages."""
    app = App()
    app.use(Compression(dictionaries=True))

    @app.get("/lamps/<int:number>")
    def lamp(request: Request, number: int):
        return Response.html(PAGE.format(number), headers=PUBLIC)

    return app


def digest_of(content):
    return f":{b64encode(sha256(content).digest()).decode()}:"


def asking_with(content, accepted=ACCEPTED):
    """Return the header fields of a client that has a dictionary."""
    return {"accept-encoding": accepted, "available-dictionary": digest_of(content)}


def decoded(response, dictionary):
    """Decode dcz as a client does."""
    assert response.headers["content-encoding"] == "dcz"
    assert response.body[:40] == bytes.fromhex("5e2a4d1820000000") + sha256(dictionary).digest()
    given = zstd.ZstdDict(dictionary, is_raw=True).as_prefix
    limit = {zstd.DecompressionParameter.window_log_max: 23}
    return zstd.ZstdDecompressor(options=limit, zstd_dict=given).decompress(response.body[40:])


def visitor(app, interface="asgi", base_url="https://shop.example", **options):
    return Client(app, interface, base_url=base_url, **options)


def test_the_next_page_of_a_route_is_sent_as_its_difference(shop, interface):
    client = visitor(shop, interface)
    head = client.head("/lamps/1", headers={"accept-encoding": ACCEPTED})
    assert client.get("/lamps/2", headers=asking_with(PAGE.format(1).encode())).headers["content-encoding"] == "zstd"
    first = client.get("/lamps/1", headers={"accept-encoding": ACCEPTED})
    assert client.head("/lamps/1", headers={"accept-encoding": ACCEPTED}).headers == head.headers == first.headers
    assert first.headers["use-as-dictionary"] == 'match="/lamps/*"'
    assert first.headers["vary"] == "accept-encoding, available-dictionary"
    assert first.headers["content-encoding"] == "zstd"
    had = decompressed("zstd", first.body)
    second = client.get("/lamps/2", headers=asking_with(had))
    assert decoded(second, had).decode() == PAGE.format(2)
    assert len(second.body) < 100 < len(first.body)
    assert second.headers["vary"] == first.headers["vary"]
    assert second.headers["use-as-dictionary"] == first.headers["use-as-dictionary"]


NOT_KNOWN = [
    {"accept-encoding": ACCEPTED},
    asking_with(b"unknown"),
    asking_with(PAGE.format(1).encode(), "gzip, br, zstd"),
    asking_with(PAGE.format(1).encode(), "*"),
    asking_with(PAGE.format(1).encode(), "gzip, dcz;q=0"),
    *[
        {"accept-encoding": ACCEPTED, "available-dictionary": text}
        for text in ("", ":", "::", ":AA==:", "x", '"x"', ":AA==:, :AA==:", "=?", ":" + "A" * 9999 + ":", "(1)", "\xff")
    ],
]


@pytest.mark.parametrize("headers", NOT_KNOWN)
def test_a_client_without_a_known_dictionary_gets_the_usual_coding(shop, interface, headers):
    client = visitor(shop, interface)
    client.get("/lamps/1")
    response = client.get("/lamps/2", headers=headers)
    assert response.headers.get("content-encoding") in ("zstd", "gzip")
    assert response.headers["vary"] == "accept-encoding, available-dictionary"


def answers(fields=(), **options):
    """Return a function that registers a page with these header fields."""
    return lambda app: app.get("/page", **options)(lambda request: Response.html(PAGE.format(1), headers=dict(fields)))


def reads_session(app):
    app.use(Sessions(MemoryStore()))

    @app.get("/page")
    def page(request: Request):
        request.session["token"] = "secret"
        return Response.html(PAGE.format(1), headers=PUBLIC)


def reads(read, around=False):
    """Return a function that registers a page for which something is read by its handler, or by outer middleware."""

    def outer(request):
        request.g.read = read(request)
        yield

    def register(app):
        if around:
            app.middleware(before_routing=True)(outer)

        @app.get("/page")
        def page(request):
            assert around or read(request) is not None
            return Response.html(PAGE.format(1), headers=PUBLIC)

    return register


def varies(name):
    return answers({**PUBLIC, "vary": name})


WITHOUT = [
    (answers(), "https://shop.example", {}),
    (answers({"cache-control": "private, max-age=60"}), "https://shop.example", {}),
    (answers({"cache-control": "max-age=60"}), "https://shop.example", {}),
    (answers({"cache-control": "public, no-cache"}), "https://shop.example", {}),
    (answers({"cache-control": "public, no-store, max-age=60"}), "https://shop.example", {}),
    (answers({"cache-control": "public, max-age=0"}), "https://shop.example", {}),
    (answers({**PUBLIC, "set-cookie": "a=1"}), "https://shop.example", {}),
    (varies("cookie"), "https://shop.example", {}),
    (varies("Accept, Authorization"), "https://shop.example", {}),
    (varies("*"), "https://shop.example", {}),
    (reads_session, "https://shop.example", {}),
    (reads(lambda request: request.cookies.get("name", "")), "https://shop.example", {}),
    (reads(lambda request: request.headers.get("x-api-key", "")), "https://shop.example", {}),
    (reads(lambda request: request.caller.identities), "https://shop.example", {}),
    (reads(lambda request: request.ip or ""), "https://shop.example", {}),
    (reads(lambda request: [*request.headers]), "https://shop.example", {}),
    (reads(lambda request: request.cookies.get("name"), around=True), "https://shop.example", {}),
    (answers(PUBLIC), "http://shop.example", {}),
    (answers(PUBLIC), "https://shop.example", {"authorization": "Bearer x"}),
    (answers(PUBLIC), "https://shop.example", {"sec-fetch-site": "cross-site"}),
    (answers(PUBLIC), "https://shop.example", {"sec-fetch-site": "same-site"}),
]


@pytest.mark.parametrize(("register", "base_url", "headers"), WITHOUT)
def test_what_is_not_public_is_no_dictionary_and_is_not_compressed_with_one(interface, register, base_url, headers):
    app = App()
    app.use(Compression(dictionaries=True))
    register(app)

    @app.get("/other")
    def other(request: Request):
        return Response.html(PAGE.format(2), headers=PUBLIC)

    client = visitor(app, interface, base_url)
    known = visitor(app, interface).get("/other").body  # a dictionary that anybody may know
    page = client.get("/page", headers={**headers, **asking_with(known)})
    assert (page.headers["content-encoding"], "use-as-dictionary" in page.headers) == ("zstd", False)
    after = visitor(app, interface).get("/other", headers=asking_with(PAGE.format(1).encode()))
    assert after.headers["content-encoding"] == "zstd"


@pytest.mark.parametrize("base_url", ["https://shop.example", "http://localhost:8000", "http://127.0.0.1:8000"])
def test_https_and_this_machine_have_dictionaries(shop, base_url):
    assert "use-as-dictionary" in visitor(shop, base_url=base_url).get("/lamps/1").headers


def test_the_length_tells_nothing_of_a_secret(interface):
    """A guess in a public page is the dictionary; the private page with the token is as long as without it."""
    app = App()
    app.use(Compression(dictionaries=True))

    @app.get("/search")
    def search(request: Request):
        return Response.html(PAGE.format(request.args["q"]), headers=PUBLIC)

    @app.get("/account")
    def account(request: Request):
        return Response.html(PAGE.format("token=d41d8cd98f00"), headers={"cache-control": "private, max-age=60"})

    client = visitor(app, interface)
    sizes = set()
    for guess in ("token=d41d8cd98f00", "token=000000000000", "token=111111111111"):
        dictionary = client.get("/search", params={"q": guess}).body
        response = client.get("/account", headers=asking_with(dictionary))
        sizes.add((response.headers["content-encoding"], len(response.body)))
    assert len(sizes) == 1
    assert sizes.pop()[0] == "zstd"


def test_the_cache_keeps_no_variant_for_others(shop, interface):
    app = App()
    app.use(Cache(MemoryStore()))  # outside, so that it stores what was compressed
    app.use(Compression(dictionaries=True))
    app.get("/lamps/<int:number>")(lambda request, number: Response.html(PAGE.format(number), headers=PUBLIC))
    client = visitor(app, interface)
    had = client.get("/lamps/1").body
    for _ in range(2):
        assert decoded(client.get("/lamps/2", headers=asking_with(had)), had).decode() == PAGE.format(2)
        assert client.get("/lamps/2").text == PAGE.format(2)
        usual = client.get("/lamps/2", headers={"accept-encoding": ACCEPTED})
        assert decompressed("zstd", usual.body).decode() == PAGE.format(2)
        other = client.get("/lamps/2", headers=asking_with(b"another"))
        assert decompressed("zstd", other.body).decode() == PAGE.format(2)


def shop_of_files(folder, store):
    """A process with its release's files, and the store of all processes; without one, they don't know each other."""
    app = App(store=store)
    app.use(Compression(dictionaries=True))
    app.static("/static", folder)
    app.get("/page.html")(lambda request: Response.html(PAGE.format(1), headers=PUBLIC))
    return app


@pytest.mark.parametrize("size", [3_000, 200_000])
def test_a_file_of_an_old_release_is_the_dictionary_for_the_new(tmp_path, interface, size):
    old = "".join(f"let a{n}={n**7};" for n in range(size // 20))
    new = old.replace("let a7=", "let b7=") + "// the end"
    file, asking = tmp_path / "shop.js", {"accept-encoding": ACCEPTED}

    def get(app, **headers):
        client = visitor(app, interface)
        sent = [client.request(method, app.url_for("static", filename="shop.js"), headers=asking | headers)
                for method in ("GET", "HEAD")]  # fmt: skip
        whole, head = [{name: each.headers[name] for name in each.headers if name != "content-length"} for each in sent]
        assert whole == head
        assert sent[0].headers["use-as-dictionary"] == 'match="/static/shop.*.js"'
        return sent[0]

    for made, restarted in ((None, False), (lambda: SQLiteStore(tmp_path / "store.db"), True)):
        file.write_text(old)
        app = shop_of_files(tmp_path, made and made())
        first = get(app)
        assert decompressed("zstd", first.body).decode() == old
        file.write_text(new)
        app = shop_of_files(tmp_path, made()) if restarted else app
        for _ in range(3):  # the last ones may be read on the event loop
            unknown = get(app, **asking_with(b"unknown"))
            assert decompressed("zstd", unknown.body).decode() == new
        second = get(app, **asking_with(old.encode()))
        assert decoded(second, old.encode()).decode() == new
        assert len(second.body) < len(first.body) // 5


class Failing(SQLiteStore):
    """A store that does not respond any more."""

    def load(self, key):
        raise StoreUnavailable

    def change(self, *arguments, **options):
        raise StoreUnavailable


class Forging(SQLiteStore):
    """A store whose entries somebody has changed."""

    def load(self, key):
        return super().load(key)._replace(data={"content": b"forged"})


@pytest.mark.parametrize("kind", [Failing, Forging])
def test_a_store_that_fails_or_lies_costs_only_the_dictionary(tmp_path, interface, kind):
    (tmp_path / "shop.js").write_text("let a;" * 999)
    visitor(shop_of_files(tmp_path, SQLiteStore(tmp_path / "store.db")), interface).get("/static/shop.js")
    (tmp_path / "shop.js").write_text("let b;" * 999)
    app = shop_of_files(tmp_path, kind(tmp_path / "store.db"))
    response = visitor(app, interface).get("/static/shop.js", headers=asking_with(b"let a;" * 999))
    assert decompressed("zstd", response.body) == b"let b;" * 999


def test_the_store_has_files_only_which_requests_can_not_make(tmp_path, interface):
    (tmp_path / "shop.js").write_text("let a;" * 999)
    asked = []

    class Counting(SQLiteStore):
        def load(self, key):
            asked.append("load")
            return super().load(key)

        def change(self, *arguments, **options):
            asked.append("change")
            return super().change(*arguments, **options)

    app = shop_of_files(tmp_path, Counting(tmp_path / "store.db"))
    client = visitor(app, interface)
    for number in range(3):
        client.get(f"/page.html?{number}", headers=asking_with(b"unknown"))
        client.get(app.url_for("static", filename="shop.js"), headers={"accept-encoding": ACCEPTED})
    assert asked == ["change"]


def test_a_mounted_app_has_patterns_below_its_prefix(shop, interface):
    outer = App()
    outer.mount("/shop", shop)
    response = visitor(outer, interface).get("/shop/lamps/1")
    assert response.headers["use-as-dictionary"] == 'match="/shop/lamps/*"'


@pytest.mark.parametrize("pattern", ["/a+b/<n>", "/a(b)/<n>", "/é/<n>", "/a:b/<n>", "/" + "a" * 300])
def test_a_path_that_could_be_a_pattern_itself_has_no_dictionary(pattern):
    app = App()
    app.use(Compression(dictionaries=True))
    app.get(pattern)(lambda request, **_: Response.html(PAGE, headers=PUBLIC))
    response = visitor(app).get(pattern.replace("<n>", "1"))
    assert (response.status, response.headers.get("use-as-dictionary")) == (200, None)


def test_the_memory_is_bounded():
    dictionaries = Dictionaries(most=10_000)
    for number in range(100):
        dictionaries.add(bytes([number]) * 900)
    assert dictionaries._size == sum(map(len, dictionaries._known.values())) == 9_900
    large = App()
    large.use(Compression(dictionaries=True))
    large.get("/")(lambda request: Response.html("x" * (LARGEST + 1), headers=PUBLIC))
    assert "use-as-dictionary" not in visitor(large).get("/").headers


@given(st.lists(st.binary(max_size=300), max_size=5), st.binary(min_size=100, max_size=3000))
def test_every_body_is_decoded_to_itself(chunks, dictionary):
    compressor = _Dcz(sha256(dictionary).digest(), dictionary)
    sent = b"".join([*map(compressor.chunk, chunks), compressor.finish()])
    assert sent[8:40] == sha256(dictionary).digest()
    given = zstd.ZstdDict(dictionary, is_raw=True).as_prefix
    assert zstd.decompress(sent[40:], zstd_dict=given) == b"".join(chunks)
