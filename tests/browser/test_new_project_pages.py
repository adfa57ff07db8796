"""The pages of a new project in a browser: its policy is kept, and its style sheet shows what pages consist of."""

import pytest
from click.testing import CliRunner

from antiphon.cli.main import main
from tests.contract.process import ServerProcess
from tests.helpers.accessibility import look_at
from tests.helpers.processes import RUN

pytestmark = pytest.mark.processes

SCREENS = [(390, 844, "light"), (390, 844, "dark"), (1280, 900, "light"), (1280, 900, "dark")]
ORDERS = """

class Order(Struct):
    name: Annotated[str, Meta(min_length=2), Field(help="As on the invoice.")]
    mail: Annotated[str, Field(widget="email")]
    secret: Annotated[str, Field(widget="password")]
    amount: Annotated[int, Meta(ge=1, le=9)]
    day: date
    size: Literal["small", "large"]
    wrapping: Annotated[Literal["paper", "cloth"], Field(widget="radio")]
    extras: Annotated[list[Literal["card", "ribbon", "box"]], Field(widget="checkbox")]
    tint: Annotated[str, Field(widget="color")]
    weight: Annotated[int, Meta(ge=0, le=10), Field(widget="range")]
    note: Annotated[str, Field(widget="textarea")]
    terms: bool = False


class Sent(Struct):
    customer: str
    description: str
    delivered: datetime
    amount: int


@pages.get("/orders")
@pages.post("/orders")
def order(request: Request):
    form = Form(Order, request)
    form.validate()
    rows = [Sent("Margarethe Oppenheimer", "Donaudampfschiffahrtsgesellschaft", datetime(2026, 11, 26, 10, 30), -5)] * 3
    filters = ["customer", "description", "delivered", "amount"]
    table = Table(Sent, request, rows, caption="All orders", filters=filters, size=2, csv="orders.csv")
    title = "Orders from Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch"
    return Page("orders.html", title=title, form=form, table=table)
"""
PAGE = """{% extends "base.html" %}
{% block main %}
{{ form }}
{{ table }}
{% endblock %}
"""
RIGHT_TO_LEFT = "() => { document.documentElement.dir = 'rtl' }"
ONE_TASK = "() => document.querySelectorAll('tbody a').length === 1"
VIOLATIONS = "() => JSON.parse(localStorage.violations || '[]')"
NOTED = """{
  const note = text => {
    localStorage.violations = JSON.stringify([...JSON.parse(localStorage.violations || "[]"), text]);
  };
  addEventListener("securitypolicyviolation", event => note(event.blockedURI));
  addEventListener("error", event => note(event.message || event.target.outerHTML), true);
  const { error } = console;
  console.error = (...all) => { note(String(all)); error(...all) };
}"""
BROKEN_WORDS = """() => [...document.querySelectorAll("tbody bdi")].filter(cell => {
  const range = document.createRange();
  range.selectNodeContents(cell);
  return range.getClientRects().length > cell.innerText.split(" ").length;
}).map(cell => cell.innerText)"""
UNSTYLED = """() => [...document.querySelectorAll("input:not([type=color]), select, textarea")]
  .filter(each => getComputedStyle(each).fontFamily !== getComputedStyle(document.body).fontFamily)
  .map(each => each.outerHTML)"""


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(main, ["new", "shop-floor"]).exit_code == 0
    monkeypatch.chdir(tmp_path / "shop-floor")
    package = tmp_path / "shop-floor" / "shop_floor"
    program = (package / "pages.py").read_text()
    (package / "pages.py").write_text(f"from datetime import datetime\n{program}{ORDERS}")
    (package / "templates" / "orders.html").write_text(PAGE)
    with ServerProcess(RUN, "shop_floor.app:make_app") as process:
        yield f"http://127.0.0.1:{process.port}"


def sent(page, **values):
    """Fill in the form of a page, and send it."""
    for name, value in values.items():
        page.run("(name, value) => { document.querySelector(`main [name=${name}]`).value = value }", name, value)
    page.click("main form button")
    page.wait()


def test_a_new_project_is_used_in_two_windows(browser, page, site):
    page.before_each_document(NOTED)
    page.go(f"{site}/")
    page.click("[name=is_new]")
    sent(page, name="Ada", password="an oboe in the rain")
    look_at(page, "no tasks", SCREENS)
    other = browser.open(f"{site}/tasks/new")
    sent(other, what="Tune the organ before the concert of the boys' choir", due="2030-05-01")
    assert other.run(ONE_TASK)
    page.wait_until(ONE_TASK)
    look_at(page, "one task", SCREENS)
    for path in ("/", "/tasks/new"):
        page.go(f"{site}{path}")
        page.run(RIGHT_TO_LEFT)
        look_at(page, f"{path}, right to left", SCREENS)
    assert page.run(VIOLATIONS) == []


def test_pages_of_a_new_project_look_right_and_keep_their_policy(page, site):
    page.before_each_document(NOTED)
    for path in ("/", "/nowhere", "/orders"):
        page.go(f"{site}{path}")
        look_at(page, path, SCREENS)
    page.run("() => { document.querySelector('main form').noValidate = true }")
    page.click("main form button")
    page.wait_until("() => document.querySelector('.error') !== null")
    look_at(page, "errors", SCREENS)
    page.resize(390, 844)
    assert (page.run(BROKEN_WORDS), page.run(UNSTYLED)) == ([], [])
    border = "each => getComputedStyle(document.querySelector(each)).borderColor"
    assert page.run(border, "[aria-invalid]") != page.run(border, "textarea:not([aria-invalid]), fieldset")
    assert page.run(VIOLATIONS) == []
