"""Slots: a page's first bytes come at once, its parts when they are ready; and the errors of templates and handlers."""

import asyncio
import logging
import re
from contextvars import ContextVar
from threading import Event

import pytest
from markupsafe import Markup

from antiphon import App, Request, abort
from antiphon.features import (
    Block,
    Cache,
    Compression,
    ContentSecurityPolicy,
    Languages,
    MemoryStore,
    Page,
    SecurityHeaders,
    Sessions,
    Slot,
    csp_nonce,
)
from antiphon.features.templates.slots import FAILED, SCRIPT
from antiphon.http import HTTPError
from tests.helpers.decompression import INSTALLED, Reader
from tests.helpers.waiting import DEADLINE, eventually

pytestmark = pytest.mark.axes("interface", "style", "enable_async")

SHOP = """<!doctype html><title>Shop</title><body><h1>{{ title }}</h1>
{% call slot("orders") %}<p>Loading {{ title }}</p>{% endcall %}<hr>{{ slot("ads", "Loading <ads>") }}</body></html>
"""


@pytest.fixture
def shop(site, enable_async):
    """A site with a page that has two slots."""
    site.write(shop=SHOP, rows="{% block rows %}<ul>{% for row in rows %}<li>{{ row }}{% endfor %}</ul>{% endblock %}")
    return site.use(enable_async=enable_async)


def shown(value):
    """Return a loader that returns a value at once."""
    return Slot(lambda: value)


def test_parts_follow_the_page_in_the_order_in_which_they_are_ready(shop, style):
    if style == "def":
        is_loaded = Event()

        def orders(count):
            assert is_loaded.wait(DEADLINE)
            return Block("rows.html", "rows", rows=range(count))

        def ads():
            is_loaded.set()
            return "buy <b>now</b>"
    else:
        loaded = asyncio.Event()

        async def orders(count):
            await loaded.wait()
            return Block("rows.html", "rows", rows=range(count))

        async def ads():
            loaded.set()
            return "buy <b>now</b>"

    shop.page(lambda _: Page("shop.html", title="Shop", orders=Slot(orders, count=2), ads=Slot(ads)))
    response = shop.get()
    first, script, rest = response.text.partition(f'<script nonce="{csp_nonce_in(response.text)}">{SCRIPT}</script>\n')
    assert first.startswith('<!doctype html><title>Shop</title><body><h1>Shop</h1>\n<?start name="orders"><p>Loading')
    assert first.endswith('<hr><?start name="ads">Loading &lt;ads&gt;<?end>')
    assert script
    assert [*response.slots.items()] == [("ads", "buy &lt;b&gt;now&lt;/b&gt;"), ("orders", "<ul><li>0<li>1</ul>")]
    assert rest.endswith("</template><!---->\n</body></html>")
    assert (response.status, response.content_type) == (200, "text/html; charset=utf-8")
    assert "etag" not in response.headers
    assert (response.headers["incremental"], response.headers["x-accel-buffering"]) == ("?1", "no")


def csp_nonce_in(text):
    return re.search(r'<script nonce="([^"]{22})">', text)[1]


def test_the_page_is_sent_before_any_part_is_ready(shop):
    may_load = Event()

    def wait():
        assert may_load.wait(DEADLINE)
        return "loaded"

    shop.page(lambda _: Page("shop.html", title="Shop", orders=Slot(wait), ads=Slot(wait)))
    with shop.client().stream("GET", "/") as response:
        assert "Loading" in next(response).decode()
        may_load.set()
        assert b"".join(response).endswith(b"</html>")


ENDS = [
    ("<body>{{ slot('a') }}</body>", "</template><!---->\n</body>"),
    ("<BODY>{{ slot('a') }}</BODY ></html>\n", "</template><!---->\n</BODY ></html>"),
    ("<!-- </body> -->{{ slot('a') }}</body>", "</template><!---->\n</body>"),
    ("<p>{{ slot('a') }}", "</template><!---->\n"),
]


NESTED = [
    f"<template for='a'>x</template>\n<script>{SCRIPT}</script><template for=\"b\">y</template>",
    "two\nlines",
    "",
]


@pytest.mark.parametrize("html", NESTED)
def test_the_client_of_tests_finds_parts_with_templates_of_their_own(shop, html):
    shop.write(page='<template for="c">z</template>{{ slot("a") }}{{ slot("b") }}')
    shop.page(lambda _: Page("page.html", a=shown(Markup(html)), b=shown("<i>")))
    assert shop.get().slots == {"a": html, "b": "&lt;i&gt;"}


@pytest.mark.parametrize(("template", "end"), ENDS)
def test_parts_come_before_the_end_of_the_body(shop, template, end):
    shop.write(page=template).page(lambda _: Page("page.html", a=shown("x")))
    assert shop.get().text.endswith(f'<template for="a">x{end}')


def fail():
    raise RuntimeError("a secret")


def leave():
    raise SystemExit


async def aleave():
    leave()


async def await_cancelled():
    future = asyncio.get_running_loop().create_future()
    future.cancel()
    await future


FAULTS = [
    (await_cancelled, "{{ slot('a') }}", f'<p role="alert">{FAILED}</p>', True),
    (lambda: abort(404, "No <such> thing."), "{{ slot('a') }}", '<p role="alert">No &lt;such&gt; thing.</p>', False),
    (fail, "{{ slot('a') }}", f'<p role="alert">{FAILED}</p>', True),
    (leave, "{{ slot('a') }}", f'<p role="alert">{FAILED}</p>', True),
    (aleave, "{{ slot('a') }}", f'<p role="alert">{FAILED}</p>', True),
    (fail, "{{ slot('a', failed='No <orders>') }}", '<p role="alert">No &lt;orders&gt;</p>', True),
    (fail, "{{ slot('a', failed='<tr><td>-'|safe) }}", "<tr><td>-", True),
    (lambda: (_ for _ in ()).throw(HTTPError(503, "Later.")), "{{ slot('a') }}", f'<p role="alert">{FAILED}</p>', True),
    (lambda: None, "{{ slot('a') }}", f'<p role="alert">{FAILED}</p>', True),
    (lambda: Page("page.html", a=shown("x")), "{{ slot('a') }}", f'<p role="alert">{FAILED}</p>', True),
]


@pytest.mark.parametrize(("loader", "template", "html", "is_logged"), FAULTS)
def test_a_part_that_fails_shows_its_own_error_and_is_logged(shop, caplog, loader, template, html, is_logged):
    shop.write(page=template + "{{ slot('b') }}").page(lambda _: Page("page.html", a=Slot(loader), b=shown("fine")))
    response = shop.get()
    assert response.status == 200
    assert response.slots == {"a": html, "b": "fine"}
    logged = [each.getMessage() for each in caplog.records if each.levelno == logging.ERROR]
    assert [line.partition(", request")[0] for line in logged] == (
        ["GET '/' failed in the slot 'a' of page.html"] if is_logged else []
    )


def test_a_failure_shows_the_error_and_its_line_in_debug_mode(shop, debug_mode):
    shop.write(page="{{ slot('a') }}").page(lambda _: Page("page.html", a=Slot(fail)))
    assert re.search(r"RuntimeError: a secret \(\S+test_slots\.py:\d+\)", shop.get().text)


@pytest.mark.parametrize("prefix", ["", "/shop"])
def test_a_test_that_wants_errors_gets_those_of_slots_with_the_handler_and_the_line(shop, prefix):
    shop.write(page="{{ slot('a') }}").page(lambda _: Page("page.html", a=Slot(fail)))
    inner, shop.app = shop.app, App()
    shop.app.mount("/shop", inner)
    shop.app = shop.app if prefix else inner
    with pytest.raises(RuntimeError, match="a secret") as raised:
        shop.client(raise_errors=True).get(f"{prefix}/")
    assert raised.traceback[-1].name == "fail"
    assert re.search(r"the slot 'a' of page.html, given by .*(test_slots|conftest)\.py:\d+", raised.value.__notes__[-1])
    for client in (shop.client(), shop.client(raise_errors=False)):
        assert client.get(f"{prefix}/").slots == {"a": f'<p role="alert">{FAILED}</p>'}


MISTAKES = [
    ("{{ slot('a') }}", {}, "page.html has a slot 'a'", "return Page('page.html', a=Slot(load_a))"),
    ("{{ slot('a') }}", {"b": shown("")}, "page.html has a slot 'a'", "return Page('page.html', a=Slot(load_a))"),
    ("{{ 1 }}", {"a": shown("")}, "page.html has no place for 'a'", 'write {{ slot("a") }}'),
    ("{{ a }}", {"a": shown("")}, "a Slot has its place by its name", '{{ slot("orders") }}'),
    ("{{ slot('a') }}{{ slot('a') }}", {"a": shown("")}, "page.html has two places for the slot 'a'", ""),
    ("", {"a": shown(""), "_stream": True}, "has slots, which _stream=True can't have", "leave it out"),
    ("", {"a": shown(""), "_json": True}, "has slots, which _json=True can't have", "leave it out"),
    ("", {'"><script>': shown("")}, "it must be a name of Python", ""),
    ("", {"a": shown(""), "slot": 1}, "`slot` is the function of its template", ""),
]


@pytest.mark.parametrize(("template", "data", "message", "cure"), MISTAKES)
def test_mistakes_are_errors_with_the_line_to_write(shop, template, data, message, cure):
    shop.write(page=template).page(lambda _: Page("page.html", **data))
    with pytest.raises((LookupError, TypeError, ValueError)) as raised:
        shop.client(raise_errors=True).get("/")
    assert message in str(raised.value)
    assert cure in str(raised.value)
    assert "To read more: antiphon explain bad-slot" in raised.value.__notes__


async def load():
    return "x"


def test_a_slot_takes_a_function():
    with pytest.raises(TypeError, match=r"Slot takes a function, not load\(\.\.\.\): Slot\(load, \.\.\.\)"):
        Slot(load())


def test_a_slot_of_the_application_is_its_own(shop):
    shop.app.template_context(slot=lambda _: lambda name: f"own {name}")
    shop.write(page="{{ slot('a') }}").page(lambda _: Page("page.html"))
    assert shop.get().text == "own a"


@pytest.mark.parametrize("headers", [{"x-block": "main"}, {"hx-request": "true", "hx-target": "main"}])
def test_a_script_that_asks_for_a_block_gets_it_whole(shop, headers):
    shop.write(page="<body>{% block main %}<b>{{ slot('a', 'wait') }}</b>{% endblock %}{{ slot('b', 'wait') }}</body>")
    shop.page(lambda _: Page("page.html", _block="main", a=shown("1 < 2"), b=shown("no")))
    assert (shop.get(headers=headers).text, shop.get(headers=headers).slots) == ("<b>1 &lt; 2</b>", {})
    other = shop.get(headers={**headers, "x-block": "unknown"})
    assert other.text == "<body><b>1 &lt; 2</b>no</body>"
    assert "x-block" in other.headers["vary"]


def test_head_and_other_statuses(shop):
    loaded = []
    shop.write(page="{{ slot('a') }}").page(
        lambda _: (Page("page.html", 404, a=Slot(lambda: loaded.append(1) or "x")), {"x-own": "1"})
    )
    head = shop.client().head("/")
    assert (head.status, head.headers["x-own"], head.body, loaded) == (404, "1", b"", [])
    assert (shop.get().status, loaded) == (404, [1])


def test_loaders_are_cancelled_when_the_client_leaves(site, shop):
    ended = Event()

    async def wait():
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    shop.write(page="{{ slot('a') }}").page(lambda _: Page("page.html", a=Slot(wait)))
    with shop.client().stream("GET", "/") as response:
        assert b"<?start" in next(response)
    eventually(lambda: ended.is_set() or None, "the loader still runs")


variable: ContextVar[str] = ContextVar("variable", default="unset")


def test_context_variables_and_the_session_can_be_read_in_slots_but_the_session_not_changed(shop, caplog):
    shop.app.use(Sessions(MemoryStore()))

    def answer(request):
        def change():
            request.session["a"] = 1

        variable.set("of the handler")
        reading = Slot(lambda: f"{variable.get()} {request.session.get('name')}")
        return Page("shop.html", title="", orders=reading, ads=Slot(change))

    @shop.app.get("/name")
    def name(request: Request):
        request.session["name"] = "Ann"
        return "set"

    shop.page(answer)
    client = shop.client()
    client.get("/name")
    assert client.get("/").slots["orders"] == "of the handler Ann"
    assert [str(each.exc_info[1]).partition(":")[0] for each in caplog.records] == [
        "the session was saved when the response was made"
    ]


def test_slots_have_the_language_of_the_request(shop, tmp_path):
    (tmp_path / "texts").mkdir()
    for tag in ("de", "en"):
        (tmp_path / "texts" / f"{tag}.json").write_text("{}")
    shop.app.use(Languages(tmp_path / "texts", default="en"))
    shop.write(page="{{ slot('a') }}", number="{{ number | format_number }}")
    shop.page(lambda _: Page("page.html", a=Slot(lambda: Page("number.html", number=1234.5))))
    assert shop.get(headers={"accept-language": "de"}).slots == {"a": "1.234,5"}
    assert shop.get(headers={"accept-language": "en"}).slots == {"a": "1,234.5"}


def test_the_script_has_the_nonce_of_the_policy(shop):
    policy = ContentSecurityPolicy(default_src="'self'", script_src=["'self'", "'nonce'"])
    shop.app.use(SecurityHeaders(content_security_policy=policy))
    shop.app.template_context(csp_nonce=csp_nonce)
    shop.write(page="<i>{{ csp_nonce }}</i>{{ slot('a') }}").page(lambda _: Page("page.html", a=shown("x")))
    response = shop.get()
    nonce = csp_nonce_in(response.text)
    assert f"<i>{nonce}</i>" in response.text
    assert f"script-src 'self' 'nonce-{nonce}'" in response.headers["content-security-policy"]


@pytest.mark.parametrize(("kind", "name"), [(Page, ()), (Block, ("rows",))])
@pytest.mark.parametrize("features", [(), (Cache,)])
def test_no_shared_cache_keeps_a_part_that_may_have_failed(shop, kind, name, features):
    counted = []

    def load():
        counted.append(1)
        return 1 / (len(counted) - 1)

    for feature in features:
        shop.app.use(feature(MemoryStore()))
    shop.write(page="{% block rows %}{{ slot('a') }}{% endblock %}")
    shop.page(lambda _: (kind("page.html", *name, a=Slot(load)), 200, {"cache-control": "public, max-age=60"}))
    client = shop.client(raise_errors=False)
    responses = [client.get("/") for _ in range(2)]
    assert [FAILED in each.text for each in responses] == [True, False]
    assert [each.headers["cache-control"] for each in responses] == ["max-age=60, private"] * 2


@pytest.mark.parametrize("coding", INSTALLED)
def test_compressed_parts_are_flushed_one_by_one(shop, coding):
    may_load = Event()

    def wait():
        assert may_load.wait(DEADLINE)
        return "loaded"

    shop.app.use(Compression([coding]))
    shop.write(page="<body>{{ slot('a') }}</body>").page(lambda _: Page("page.html", a=Slot(wait)))
    with shop.client().stream("GET", "/", headers={"accept-encoding": coding}) as response:
        assert response.headers["content-encoding"] == coding
        reader = Reader(coding)
        assert b'<?start name="a"><?end>' in reader.read(next(response))
        may_load.set()
        rest = b"".join(map(reader.read, response))
    assert (rest, reader.is_whole) == (b'<template for="a">loaded</template><!---->\n</body>', True)
