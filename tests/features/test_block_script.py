"""The script of blocks as it is served: small, under a URL of its content, and loaded by an element of templates."""

import gzip
import re

import pytest
from jinja2 import DictLoader

from antiphon import App
from antiphon.features import BlockScript, Page, Templates
from antiphon.testing import Client

pytestmark = pytest.mark.once

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
    url = re.fullmatch('<script src="(/static/blocks[.][0-9a-f]{12}[.]js)" defer></script>', plain)[1]
    assert with_nonce == f'<script src="{url}" nonce="a&quot;b" defer></script>'
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
