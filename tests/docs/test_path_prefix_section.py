"""The section on a path prefix: a real nginx with its location, before its app."""

import re
from pathlib import Path

import pytest

from tests.contract.process import ServerProcess
from tests.contract.wire import SentRequest
from tests.helpers.nginx import serve_site
from tests.helpers.processes import RUN
from tests.helpers.system_programs import required_program

PAGE = (Path(__file__).parents[2] / "docs/how-to/behind-a-proxy.md").read_text().partition("## Path prefix\n")[2]
LOCATION, APP = re.findall(r"^```(?:python|nginx)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)[:2]

pytestmark = pytest.mark.processes
nginx = required_program("nginx")


@pytest.fixture
def proxy(nginx, tmp_path, monkeypatch):
    (tmp_path / "shop.py").write_text(APP)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    with ServerProcess(RUN, "shop:app") as app:
        location = LOCATION.replace("unix:/run/shop/app.sock:/;", f"127.0.0.1:{app.port}/;")
        assert str(app.port) in location
        site = tmp_path / "site.conf"
        site.write_text(f"server {{\n listen 127.0.0.1:@port@;\n{location}}}\n")
        with serve_site(nginx, tmp_path, site) as served:
            yield served


def test_links_redirects_cookies_and_files_have_the_prefix(proxy):
    shown = proxy.respond(SentRequest("GET", "/shop/orders", ()))
    assert shown.status == 200
    stylesheet = re.search(rb'"stylesheet":"(/shop/static/site[^"]*)"', shown.body)[1].decode()
    assert b'/shop/orders"' in shown.body
    assert proxy.respond(SentRequest("GET", stylesheet, ())).body == b"body { color: teal }"
    sent = proxy.respond(SentRequest("POST", "/shop/orders", ()))
    assert (sent.status, sent.values("location")) == (303, ["/shop/orders"])
    assert "Path=/shop/" in sent.values("set-cookie")[0]
    assert proxy.respond(SentRequest("GET", "/orders", ())).status == 404
