"""A table and its edit form in a browser: on a telephone and a desk, in both directions, by keys, and with errors."""

import pytest

from tests.helpers.accessibility import look_at

pytestmark = pytest.mark.processes

APP = "tests.helpers.served.table_pages:app"
SCREENS = [(390, 844, "light"), (390, 844, "dark"), (1280, 900, "light"), (1280, 900, "dark")]
NAMES = "() => [...document.querySelectorAll('tbody th')].slice(0, 2).map(each => each.innerText)"
FOCUSED = "() => document.activeElement.innerText || document.activeElement.id"


def test_tables_and_forms_look_right_to_everybody(page, site):
    for path in ("/lamps", "/lamps?price.from=x&sort=odd", "/lamps/3", "/lamps?page=99"):
        for direction in ("ltr", "rtl"):
            page.go(f"{site}{path}{'&' if '?' in path else '?'}dir={direction}")
            look_at(page, f"{path} {direction}", SCREENS)
    page.resize(390, 844)
    page.go(f"{site}/lamps/3?dir=rtl")
    page.run("() => { document.forms[0].noValidate = true; document.querySelector('#lamp-name').value = '' }")
    page.submit()
    page.wait_until("() => document.querySelector('.errors') !== null")
    look_at(page, "errors of the form", SCREENS)


def test_a_table_is_sorted_filtered_and_edited_by_keys(page, site):
    page.go(f"{site}/lamps?lang=en")
    page.resize(1280, 900)
    page.run("() => document.querySelector('thead a').focus()")
    page.press("Enter")
    page.wait_until("() => document.querySelector('[aria-sort=ascending]')?.innerText.startsWith('Name')")
    page.run("() => document.querySelector('.scrolls').focus()")
    for _ in range(2):
        page.press("Tab")
    assert page.run(FOCUSED) == "Price"
    price = page.accessible("th:nth-child(2) a")
    assert (price["role"], price["name"]) == ("link", "Price")
    page.run("() => document.querySelector('[name=name]').focus()")
    page.enter("desk")
    page.press("Enter")
    page.wait_until("() => location.search.includes('name=desk')")
    page.wait_until("() => document.querySelector('tbody th')?.innerText.startsWith('Desk 1')")
    assert "sort=name" in page.url
    assert "lang=en" in page.url
    page.run("() => document.querySelector('tbody th a').focus()")
    page.press("Enter")
    page.wait_until("() => document.querySelector('#lamp-name') !== null")
    page.run("() => { document.querySelector('#lamp-name').value = 'aaa' }")
    page.submit()
    page.wait_until("() => location.pathname === '/lamps'")
    page.go(f"{site}/lamps?name=aaa")
    page.wait_until(f"() => JSON.stringify(({NAMES})()) === '[\"aaa\"]'")
