"""Blocks of a page: which of them a request is sent, in which form, and that nothing around them runs."""

import pytest

from antiphon.features import Block, Page

pytestmark = pytest.mark.axes("interface", "style", "enable_async")

BASE = (
    "{% set brand = 'Shop' %}<html>{% block head %}<title>{{ brand }}</title>{% endblock %}"
    "{% block main %}nothing{% endblock %}{% block cart %}{{ count }} in {{ brand }}{% endblock %}</html>"
)
PAGE = (
    "{% extends 'base.html' %}{% import 'macros.html' as macros %}{% set twice = count * 2 %}"
    "{% set never = explode() %}"
    "{% block head %}{{ super() }}{{ explode() }}{% endblock %}"
    "{% block main %}<p>{{ macros.strong(twice) }}</p>{% endblock %}"
)
WHOLE = "<html><title>Shop</title>!<p><b>4</b></p>2 in Shop</html>"
MAIN, CART = "<p><b>4</b></p>", "2 in Shop"
OFFERED = {"content": "main", "cart": "cart"}


@pytest.fixture
def shop(site, enable_async):
    """A site of which a page has blocks, of which one calls what counts how often it ran."""
    site.write(base=BASE, page=PAGE, macros="{% macro strong(x) %}<b>{{ x }}</b>{% endmacro %}")
    site.use(enable_async=enable_async)
    site.exploded = []
    site.app.template_context(explode=lambda request: lambda: site.exploded.append(request.path) or "!")
    return site


HTMX = {"hx-request": "true", "hx-target": "content"}


@pytest.mark.parametrize(
    ("headers", "text", "named"),
    [
        ({}, WHOLE, None),
        ({"x-block": "main"}, MAIN, "main"),
        ({"x-block": "cart"}, CART, "cart"),
        (
            {"x-block": "cart,main , cart"},
            f'<template data-block="cart">{CART}</template>\n<template data-block="main">{MAIN}</template>\n',
            "cart, main",
        ),
        ({"x-block": "head"}, WHOLE, None),  # which the page does not offer
        ({"x-block": "main, head"}, WHOLE, None),
        ({"x-block": "content"}, WHOLE, None),
        ({"x-block": ""}, WHOLE, None),
        (HTMX, MAIN, "main"),
        ({**HTMX, "hx-target": "div#content"}, MAIN, "main"),
        ({**HTMX, "hx-target": "main"}, WHOLE, None),
        ({**HTMX, "hx-target": "cart"}, CART, "cart"),
        ({**HTMX, "x-block": "cart"}, CART, "cart"),
        ({"hx-target": "content"}, WHOLE, None),
        ({"hx-request": "true"}, WHOLE, None),
        ({**HTMX, "hx-boosted": "true"}, MAIN, "main"),  # it has a target of its own
        ({"hx-request": "true", "hx-boosted": "true"}, WHOLE, None),
        ({**HTMX, "hx-history-restore-request": "true"}, WHOLE, None),
        ({"x-block": "main", "hx-history-restore-request": "true"}, WHOLE, None),
    ],
)
def test_a_page_is_answered_whole_or_with_the_blocks_that_are_asked_for(shop, headers, text, named):
    shop.page(lambda _: Page("page.html", _block=OFFERED, count=2), methods=["GET", "POST"])
    client = shop.client()
    for page in (client.get("/", headers=headers), client.post("/", headers=headers)):
        assert (page.status, page.text, page.headers.get("x-block")) == (200, text, named)
        assert page.content_type == "text/html; charset=utf-8"
        assert page.headers["vary"] == "x-block, hx-request, hx-target, hx-history-restore-request"
    assert shop.exploded == (["/"] * 4 if text == WHOLE else [])


@pytest.mark.parametrize(
    ("offered", "asked", "text"),
    [("main", "main", MAIN), (["main", "cart"], "cart", CART), ((), "main", WHOLE), (None, "main", WHOLE)],
)
def test_a_page_offers_one_block_several_or_none(shop, offered, asked, text):
    shop.page(lambda _: Page("page.html", _block=offered, count=2))
    assert shop.get(headers={"x-block": asked}).text == text
    assert shop.get(headers={"hx-request": "true", "hx-target": asked}).text == text


@pytest.mark.parametrize(
    ("headers", "text"),
    [
        ({}, WHOLE),
        (
            {"x-block": "main"},
            f'<template data-block="main">{MAIN}</template>\n<template data-block="cart">{CART}</template>\n',
        ),
        ({"x-block": "cart"}, CART),
        (HTMX, f'{MAIN}\n<div hx-swap-oob="innerHTML:#basket">{CART}</div>'),
    ],
)
def test_blocks_that_have_changed_too_go_along(shop, headers, text):
    shop.page(lambda _: Page("page.html", _block={"content": "main", "basket": "cart"}, _also="cart", count=2))
    assert shop.get(headers=headers).text == text


@pytest.mark.parametrize(
    ("block", "headers", "text"),
    [
        ("cart", {}, CART),
        ("cart", HTMX, CART),
        (["cart", "main"], {}, f'<template data-block="cart">{CART}</template>\n<template data-block="main">{MAIN}'),
        (["cart", "main"], HTMX, f'{CART}\n<div hx-swap-oob="innerHTML:#main">{MAIN}</div>'),
    ],
)
def test_a_block_is_an_answer_by_itself(shop, block, headers, text):
    shop.page(lambda _: (Block("page.html", block, 201, count=2), {"hx-trigger": "added"}))
    page = shop.get(headers=headers)
    assert page.status == 201
    assert page.text.startswith(text)
    assert page.headers["hx-trigger"] == "added"
    assert page.headers.get("vary") == (None if block == "cart" else "x-block, hx-request")
    assert shop.exploded == []


def test_a_block_that_the_template_does_not_have_is_an_error_that_names_those_it_has(shop):
    shop.page(lambda _: Page("page.html", _block="mian", count=2))
    with pytest.raises(LookupError, match=r"'page\.html' has no block 'mian'; its blocks: 'head', 'main', 'cart'"):
        shop.client(raise_errors=True).get("/", headers={"x-block": "mian"})


class TestAround:
    """What a block knows of the template around it."""

    @pytest.mark.parametrize(
        ("template", "text"),
        [
            ("{% from 'm.html' import f, f as g %}{% block main %}{{ f(1) }}{{ g(2) }}{% endblock %}", "[1][2]"),
            ("{% macro f(x) %}({{ x }}){% endmacro %}{% block main %}{{ f(1) }}{% endblock %}", "(1)"),
            ("{% set a, b = 1, 2 %}{% block main %}{{ a + b }}{% endblock %}", "3"),
            ("{% set a %}<{{ n }}>{% endset %}{% block main %}{{ a }}{% endblock %}", "<5>"),
            ("{% set ns = namespace(x=1) %}{% set ns.x = 2 %}{% block main %}{{ ns.x }}{% endblock %}", "2"),
            ("{% set a = 1 %}{% set b = a + 1 %}{% block main %}{{ b }}{% endblock %}", "2"),
            ("{% set a = 1 %}{% block main %}{% include 'shown.html' %}{% endblock %}", "a is 1"),
            ("{% set a = 1 %}{% block o %}{{ a }}{% endblock %}{% block main %}{{ self.o() }}{% endblock %}", "1"),
            ("{% set n = 6 %}{% block main %}{{ n }}{% endblock %}", "6"),
            ("{% block main %}{% for x in [1, 2] %}{{ loop.index }}{% endfor %}{% endblock %}", "12"),
            ("{% extends layout %}{% set a = 7 %}{% block inner %}{{ a }}{% endblock %}", "main: 7"),
            (
                "{% extends 'a.html' if n else 'b.html' %}{% set a = 7 %}{% block inner %}{{ a }}{% endblock %}",
                "main: 7",
            ),
        ],
    )
    def test_it_knows_what_is_imported_defined_and_set_at_the_top(self, shop, template, text):
        shop.write(page=template, m="{% macro f(x) %}[{{ x }}]{% endmacro %}", shown="a is {{ a }}")
        shop.write(a="{{ explode() }}{% block main %}main: {% block inner %}{% endblock %}{% endblock %}")
        shop.page(lambda _: Page("page.html", _block="main", n=5, layout="a.html"))
        assert shop.get(headers={"x-block": "main"}).text == text
        assert shop.exploded == []

    def test_an_error_names_template_and_line(self, shop):
        shop.write(page="{% set a = 1 %}\n{% set b = a / 0 %}\n{% block main %}{{ b }}{% endblock %}")
        shop.page(lambda _: Page("page.html", _block="main"))
        with pytest.raises(ZeroDivisionError) as raised:
            shop.client(raise_errors=True).get("/", headers={"x-block": "main"})
        frame = raised.traceback[-1]
        assert (frame.path, frame.lineno + 1) == (shop.folder / "page.html", 2)

    def test_templates_that_extend_each_other_are_an_error(self, shop):
        shop.write(page="{% extends 'other.html' %}{% block main %}{% endblock %}", other="{% extends 'page.html' %}")
        shop.page(lambda _: Page("page.html", _block="main"))
        with pytest.raises(RecursionError, match="extends itself"):
            shop.client(raise_errors=True).get("/", headers={"x-block": "main"})


JSON = "application/json"


@pytest.mark.parametrize(
    ("json", "accept", "method", "status", "content_type"),
    [
        (True, None, "GET", 200, "text/html; charset=utf-8"),
        (True, "*/*", "GET", 200, "text/html; charset=utf-8"),
        (True, "text/html, application/json;q=0.9", "GET", 200, "text/html; charset=utf-8"),
        (True, "application/json, text/html;q=0.9", "GET", 200, JSON),
        (True, JSON, "POST", 200, JSON),
        ({"public": 1}, JSON, "GET", 200, JSON),
        (None, JSON, "GET", 200, JSON),
        (True, "text/markdown", "GET", 200, "text/html; charset=utf-8"),
        (False, "text/markdown", "GET", 200, "text/html; charset=utf-8"),
        (True, "image/png", "POST", 200, "text/html; charset=utf-8"),
        (False, JSON, "GET", 200, "text/html; charset=utf-8"),
    ],
)
def test_a_page_that_says_so_is_there_in_json_too(shop, json, accept, method, status, content_type):
    shop.page(lambda _: Page("page.html", _json=json, _block="main", count=2), methods=["GET", "POST"])
    headers = {"accept": accept, "x-block": "main"} if accept else {}
    page = shop.client().request(method, "/", headers=headers)
    assert (page.status, page.content_type) == (status, content_type)
    if content_type == JSON:
        assert page.json == ({"count": 2} if json is True else json)
    assert ("accept" in page.headers["vary"].lower().split(", ")) is (json is not False)


def test_each_form_of_a_page_has_its_own_etag(shop):
    shop.page(lambda _: Page("page.html", _block="main", _json=True, count=2))
    forms = [{}, {"x-block": "main"}, {"accept": JSON}]
    etags = [shop.get(headers=headers).headers["etag"] for headers in forms]
    assert len({*etags}) == 3
    for headers in forms:
        told = [shop.get(headers={**headers, "if-none-match": etag}) for etag in etags]
        assert [page.status for page in told] == [304 if other is headers else 200 for other in forms]
        assert all(page.headers["vary"] for page in told)


def test_header_fields_of_the_page_stay(shop):
    headers = {"vary": "cookie", "content-type": "text/plain"}
    shop.page(lambda _: Page("page.html", _headers=headers, _block="main", count=2))
    page = shop.get(headers={"x-block": "main"})
    assert page.headers["vary"].startswith("cookie, x-block")
    assert page.headers["content-type"] == "text/plain"


def test_the_text_of_a_block_is_there_for_events_and_mails(shop):
    shop.page(lambda request: request.templates.render("page.html", _block="main", count=2))
    assert shop.get().text == MAIN
