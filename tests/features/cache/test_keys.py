"""The keys of stored responses: what was read of the query and the cookies, and nothing else of them."""

from dataclasses import dataclass

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon import App, Request, Response
from antiphon.features import Cache, MemoryStore, Sessions
from antiphon.testing import Client
from tests.features.conftest import Clock
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface")


@dataclass
class Search:
    q: str = ""
    tag: tuple[str, ...] = ()


class Strict(msgspec.Struct, forbid_unknown_fields=True):
    q: str = ""


class Shop:
    """An app whose page at /page shows what ``read`` returns for a request; ``made`` lists what was shown."""

    def __init__(self, read, interface="asgi", fields=None, store=None, **options):
        self.made = []
        self.clock = Clock()
        self.cache = Cache(store or MemoryStore(clock=self.clock))
        self.app = App()
        for install in options.pop("around", ()):
            install(self.app)
        self.app.use(self.cache)
        self.app.use(Sessions(MemoryStore()))

        @self.app.get("/page")
        def page(request: Request):
            self.made.append(str(read(request)))
            return Response(self.made[-1], headers=fields or {"cache-control": "public, max-age=60"})

        self.app.post("/page")(lambda request: "done")
        self.client = Client(self.app, interface, raise_errors=False)

    def get(self, query="", cookie=None):
        self.client.cookies.clear()
        return self.client.get(f"/page{query}", headers={} if cookie is None else {"cookie": cookie})


ONE_PAGE = ["?q=1&utm_source=a", "?utm_source=b&q=1", "?q=1", "?q=%31&utm_source", "?&q=1&&"]
READS = {
    "an argument": (lambda request: request.args["q"], 'key-order, params, except=("q")'),
    "one with a default": (lambda request: request.args.get("q", "0"), 'key-order, params, except=("q")'),
    "all of one name": (lambda request: request.args.getall("q"), 'key-order, params, except=("q")'),
    "whether there is one": (lambda request: "q" in request.args, 'key-order, params, except=("q")'),
    "two": (
        lambda request: (request.args["q"], request.args.get("é &")),
        'key-order, params, except=("q" "%C3%A9+%26")',
    ),
    "a record": (lambda request: request.args_as(Search), 'key-order, params, except=("q" "tag")'),
    "none": (lambda request: request.path, "key-order, params"),
}


@rows("read, told", READS.values(), ids=READS)
def test_a_page_is_made_once_for_the_arguments_that_it_reads(interface, read, told):
    shop = Shop(read, interface)
    answers = [shop.get(query) for query in ONE_PAGE]
    assert len({answer.text for answer in answers}) == len(shop.made) == 1
    assert {answer.headers["no-vary-search"] for answer in answers} == {told}


WHOLE = {
    "every pair": lambda request: request.args.items(),
    "every name": lambda request: [*request.args],
    "their number": lambda request: len(request.args),
    "whether there are any": lambda request: bool(request.args),
    "their text": lambda request: request.args,
    "the query": lambda request: request.query_string,
    "the URL": lambda request: request.url,
    "the URL with another argument": lambda request: request.url.with_query(page=2),
    "the head": lambda request: request.head.query_string,
    "a record without others": lambda request: request.args_as(Search, unknown="refuse"),
    "a record that forbids others": lambda request: request.args_as(Strict),
    "a copy": lambda request: request.copy().args.items(),
}


@rows("read", WHOLE.values(), ids=WHOLE)
def test_a_page_that_reads_all_is_made_for_each_query(interface, read):
    shop = Shop(read, interface)
    answers = [shop.get(query) for query in ("?q=1", "?q=1&a=1", "?q=1&a=1&b=2", "?a=2&q=1", "?a", "")]
    assert all("hit" not in answer.headers["cache-status"] for answer in answers)
    assert all("no-vary-search" not in answer.headers for answer in answers)


QUERIES = st.lists(st.tuples(st.sampled_from(["q", "sort", "x", "Q"]), st.sampled_from(["", "1", "2"])), max_size=4)
COOKIES = st.sampled_from([
    None, "", "theme=dark", "theme=light", "theme=", "theme", "a=1; theme=dark", "theme=dark; a=2", 'theme="dark"',
    "theme=dark; theme=light", "theme=light; theme=dark", "theme=dark;theme=", "Theme=dark", "=dark", "theme =dark",
    "theme=dark; ;;", "theme=d\\ark",
])  # fmt: skip


def what_is_shown(request):
    """Read other arguments and cookies for other values."""
    args, cookies = request.args, request.cookies
    found = [args.get("q", "none")]
    if "1" in found:
        found += [*args.getall("sort"), cookies.get("theme", "none")]
    elif "2" in found:
        found += [str("x" in args), *cookies.getall("theme")]
    return found


@given(st.lists(st.tuples(QUERIES, COOKIES), min_size=2, max_size=8))
def test_nobody_gets_a_page_for_other_arguments_or_cookies(visits):
    shop, alone = Shop(what_is_shown), Shop(what_is_shown, fields={"cache-control": "no-store"})
    for pairs, cookie in visits:
        query = "?" + "&".join(f"{name}={value}" for name, value in pairs)
        assert shop.get(query, cookie).text == alone.get(query, cookie).text


@rows(
    "read, fields",
    (lambda request: request.cookies.get("theme"), {"cache-control": "max-age=60"}),
    (lambda request: request.headers.get("cookie"), None),
    (lambda request: request.cookies.items(), None),
    (lambda request: request.cookies.get("host-session"), None),
    (lambda request: (request.cookies.get("theme"), request.session.get("a")), None),
)
def test_other_cookies_keep_a_page_from_being_shared(interface, read, fields):
    shop = Shop(read, interface, fields=fields)
    answers = [shop.get("", "theme=dark; host-session=a") for _ in range(2)]
    assert len(shop.made) == 2
    told = [(answer.headers["cache-control"], answer.headers.get("vary")) for answer in answers]
    assert all("private" in control or "cookie" in vary for control, vary in told)


def test_a_query_that_is_too_long_is_refused_whatever_is_stored(interface):
    shop = Shop(lambda request: request.args["q"], interface)
    assert shop.get("?q=1").status == 200
    assert [shop.get(f"?q=1&{rest}").status for rest in ("a" * 70_000, "a&" * 2000)] == [414, 414]


def test_a_page_that_reads_more_arguments_later_is_made_for_those_too(interface):
    shop = Shop(lambda request: request.args.get("q") and request.args.get("sort", "none"), interface)
    queries = ["?sort=a", "?q=1&sort=a", "?q=1&sort=b", "?q=1&sort=a&x", "?sort=b"]
    assert [shop.get(query).text for query in queries] == ["None", "a", "b", "a", "None"]
    assert len(shop.made) == 4  # the last page is made again, since its key now has both


def test_names_that_clients_choose_become_the_whole_query(interface):
    shop = Shop(lambda request: request.args.get(request.args.get("name")), interface)
    for number in range(40):
        assert shop.get(f"?name=n{number}&n{number}=1").text == "1"
    assert "no-vary-search" not in shop.get("?name=last&last=2").headers


def test_another_process_knows_the_arguments(interface):
    store = MemoryStore()
    shops = [Shop(lambda request: request.args["q"], interface, store=store) for _ in range(2)]
    assert [shop.get(f"?q=1&utm={number}").text for number, shop in enumerate(shops)] == ["1", "1"]
    assert [len(shop.made) for shop in shops] == [1, 0]


@rows("forget", (lambda shop: shop.cache.purge("/page")), (lambda shop: shop.client.post("/page?z=9")))
def test_a_path_is_forgotten_whatever_was_read_of_its_query(interface, forget):
    shop = Shop(lambda request: request.args["q"], interface)
    _ = shop.get("?q=1&a=1"), shop.get("?q=2")
    shop.clock.now += 2
    forget(shop)
    shop.clock.now += 2
    assert [shop.get(query).text for query in ("?q=1", "?q=2&b=2")] == ["1", "2"]
    assert len(shop.made) == 4


def late(app):
    @app.middleware
    def show(request):
        response = yield
        return Response(f"{response.text} {request.args.get('name')}", headers=response.headers.items())


def test_what_middleware_reads_of_the_query_on_the_way_out_is_told(interface):
    shop = Shop(lambda request: request.args["q"], interface, around=[late])
    answers = [shop.get(f"?q=1&name={name}") for name in ("ann", "ben")]
    assert [answer.text for answer in answers] == ["1 ann", "1 ben"]
    assert all("no-vary-search" not in answer.headers for answer in answers)
