"""The script of blocks as it is served: small, under a URL of its content, and loaded by an element of templates."""

import gzip
import re

import pytest
from jinja2 import DictLoader

from antiphon import App
from antiphon.features import BlockScript, Languages, Page, Templates
from antiphon.testing import Client
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

SAID = "This could not be sent. Please try again."
PAGE = "{{ block_script() }}|{{ block_script(nonce='a\"b') }}"


def make_client(*arguments):
    app = App()
    app.use(BlockScript(*arguments))
    app.use(Templates(DictLoader({"page.html": PAGE})))
    app.get("/")(lambda request: Page("page.html"))
    return Client(app)


def test_it_is_under_2_kib_in_gzip_and_kept_by_browsers_for_its_content():
    client = make_client("/static")
    plain, with_nonce = client.get("/").text.split("|")
    url = re.fullmatch(f'<script src="(/static/blocks[.][0-9a-f]{{12}}[.]js)" title="{SAID}" defer></script>', plain)[1]
    assert with_nonce == f'<script src="{url}" nonce="a&quot;b" title="{SAID}" defer></script>'
    script = client.get(url)
    assert len(gzip.compress(script.body, 9)) < 2048
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert script.headers["x-content-type-options"] == "nosniff"
    assert client.get(url, headers={"if-none-match": script.headers["etag"]}).status == 304


def test_a_page_of_another_version_is_sent_the_present_script_and_asks_again():
    client = make_client()
    script = client.get("/blocks.000000000000.js")
    assert script.status == 200
    assert script.headers["cache-control"] == "public, no-cache"
    assert client.get("/blocks..js").status == 404


@rows("language, said", ("en", SAID), ("de", "Das konnte nicht gesendet werden. Bitte versuchen Sie es noch einmal."))
def test_a_page_has_in_its_language_what_the_script_says_offline(language, said, tmp_path):
    (tmp_path / "de.json").write_text("{}")
    app = App()
    app.use(BlockScript())
    app.use(Languages(tmp_path))
    app.use(Templates(DictLoader({"page.html": PAGE})))
    app.get("/")(lambda request: Page("page.html"))
    assert Client(app).get(f"/?lang={language}").text.count(f' title="{said}"') == 2
