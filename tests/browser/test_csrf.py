"""CSRF tokens and flash messages in a browser: a page's own form is let through, those of other origins are not."""

import pytest

from antiphon.http import format_query
from tests.contract.process import ServerProcess
from tests.helpers.processes import RUN
from tests.helpers.rows import rows

pytestmark = [pytest.mark.processes, pytest.mark.usefixtures("port")]

IN_PARTS, URLENCODED = "multipart/form-data", "application/x-www-form-urlencoded"
FETCH = """async () => {
  const token = await (await fetch("/token")).text();
  const statuses = [];
  for (const headers of [{}, {"x-csrf-token": token}]) {
    const body = new URLSearchParams({text: "fetched"});
    statuses.push((await fetch("/notes", {method: "POST", headers, body})).status);
  }
  return statuses;
}"""


@pytest.fixture(scope="module", params=["app", "unchecked"])
def port(request):
    with ServerProcess(RUN, f"tests.helpers.served.notes:{request.param}") as process:
        yield process.port


@pytest.fixture(scope="module")
def attackers_port():
    with ServerProcess(RUN, "tests.helpers.served.notes:app") as process:
        yield process.port


@pytest.fixture
def page(browser, port):
    page = browser.open(f"http://127.0.0.1:{port}/")
    yield page
    page.close()


@pytest.mark.parametrize("enctype", [IN_PARTS, URLENCODED])
def test_a_form_of_the_page_is_let_through_and_its_message_shown_once(page, port, tmp_path, enctype):
    page.go(f"http://127.0.0.1:{port}/?{format_query({'enctype': enctype})}")
    path = tmp_path / "large.bin"
    path.write_bytes(bytes(300_000))
    page.choose("[name=file]", path)
    page.submit()
    assert page.status == 200
    assert page.run("() => [...document.querySelectorAll('p.success')].map(each => each.innerText)") == [
        "<a note> is added."
    ]
    page.go(f"http://127.0.0.1:{port}/")
    assert page.run("() => document.querySelectorAll('p').length") == 0


def test_a_script_of_the_page_is_let_through_by_the_header(page):
    assert page.run(FETCH) == [403, 200]


@rows("host", ["127.0.0.1", "localhost"], ids=["another port", "another site"])
@rows("enctype", [IN_PARTS, URLENCODED])
@rows("token", ["", "x" * 64], ids=["no token", "a wrong token"])
def test_a_form_of_another_origin_is_refused(page, port, attackers_port, host, enctype, token):
    target = f"http://127.0.0.1:{port}"
    query = format_query({"target": target, "enctype": enctype, "token": token})
    page.go(f"http://{host}:{attackers_port}/attack?{query}")
    page.submit()
    assert (page.url, page.status) == (f"{target}/notes", 403)
    page.go(target)
    assert "evil" not in page.text
