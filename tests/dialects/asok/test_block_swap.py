"""The script that fills blocks of pages: which pages have it, and the regions that it finds."""

import re

import pytest

from tests.helpers.rows import rows

FORM = '<form method="POST" data-block="main"><button>Send</button></form>'
RENDER = "def render(request):\n    return request.html('page.html')\n"
SCRIPT = re.compile(r'<script src="(/blocks\.\w+\.js)"( nonce="[^"]+")? title="[^"]+" defer></script>')


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
    block = client.get("/", headers={"x-block": "main"})
    assert (block.headers["x-block"], SCRIPT.search(block.text)) == ("main", None)


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
