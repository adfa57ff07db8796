"""The script that fills blocks of pages: which pages have it, and the regions that it finds."""

import re

import pytest

from tests.helpers.rows import rows

FORM = '<form method="POST" data-block="main"><button>Send</button></form>'
RENDER = "def render(request):\n    return request.html('page.html')\n"
SCRIPT = re.compile(r'<script src="(/blocks\.\w+\.js)"( nonce="[^"]+")? defer></script>')


@pytest.mark.feature("asok-035", "asok-039")
def test_a_whole_page_with_a_form_that_fills_a_block_loads_the_script(serve):
    page = (
        f"<html><head><title>T</title></head><body><main>{{% block main %}}{FORM}{{% endblock %}}</main></body></html>"
    )
    client = serve({"page.py": RENDER, "page.html": page})
    text = client.get("/").text
    script = SCRIPT.search(text)
    assert text.index("</title>") < script.start() < text.index("</head>")
    assert SCRIPT.sub("", text) == page.replace("<main>", '<main data-block="main">').replace(
        "{% block main %}", ""
    ).replace("{% endblock %}", "")
    served = client.get(script[1])
    assert (served.status, served.headers["content-type"]) == (200, "text/javascript; charset=utf-8")
    assert "X-Block" in served.text
    assert SCRIPT.search(client.get("/", headers={"x-block": "main"}).text) is None


@pytest.mark.feature("asok-041")
@rows(
    "body, is_loaded",
    ("<form data-block='main' data-target='#side'>", True),
    ("<FORM\nclass=x data-block=main>", True),
    ('<a href="/" data-block>x</a>', True),
    ("<main>{% block main %}{% endblock %}</main>", False),
    ("<main data-block=main><form class=data></form></main>", False),
    ("<p>data-block</p><form>", False),
)
def test_the_script_is_loaded_where_a_form_or_a_link_fills_a_block(serve, body, is_loaded):
    text = serve({"page.py": RENDER, "page.html": f"<body>{body}</body>"}).get("/").text
    assert bool(SCRIPT.search(text)) == is_loaded
    assert text.endswith("</body>")


@rows("answer", [f"{FORM!r}", f"request.json({{'a': '<body>{FORM}</body>'}})", "request.text('<a data-block></body>')"])
def test_parts_of_pages_and_other_types_are_sent_as_they_are(serve, answer):
    response = serve({"page.py": f"def render(request):\n    return {answer}\n"}).get("/")
    assert SCRIPT.search(response.text) is None


def test_a_streamed_page_loads_the_script_too(serve):
    page = "def render(request):\n    return request.stream('page.html', rows='x' * 9000)\n"
    template = (
        f"<html><head></head><body>{{{{ rows }}}}<main>{{% block main %}}{FORM}{{% endblock %}}</main></body></html>"
    )
    text = serve({"page.py": page, "page.html": template}).get("/").text
    script = SCRIPT.search(text)
    assert text.index("</main>") < script.start() < text.index("</body>")


@pytest.mark.feature("asok-036")
def test_the_element_of_a_block_is_its_region_for_the_script(serve):
    files = {
        "src/partials/html/base.html": "<body><main>{% block main %}{% endblock %}</main></body>",
        "page.html": "{% extends 'html/base.html' %}{% block main %}<p>{% endblock %}",
    }
    assert serve(files).get("/").text == '<body><main data-block="main"><p></main></body>'


@pytest.mark.feature("asok-037")
def test_the_script_asks_by_a_header_and_is_told_what_it_is_sent(serve):
    client = serve({"page.py": RENDER, "page.html": "<!doctype html><main>{% block main %}m{% endblock %}</main>"})
    response = client.get("/", headers={"x-block": "main"})
    assert (response.text, response.headers["x-block"]) == ("m", "main")
