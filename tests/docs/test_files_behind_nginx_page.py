"""The page on files behind nginx: a real nginx with its configuration, before its app."""

import re
from base64 import b64encode
from gzip import compress
from pathlib import Path

import pytest

from antiphon.testing import Client
from tests.contract.process import ServerProcess
from tests.contract.wire import SentRequest
from tests.helpers.nginx import serve_site
from tests.helpers.processes import RUN
from tests.helpers.system_programs import required_program

PAGE = (Path(__file__).parents[2] / "docs/how-to/files-behind-nginx.md").read_text()
SHOWN, SITE = re.findall(r"^```(?:python|nginx)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)

NAME = "März 50%41?.pdf"
APP = SHOWN.replace("7 Rechnung März.pdf", NAME)
PRIVATE = "/private/M%C3%A4rz%2050%2541%3F.pdf"
ADA, BOB = (
    ("Authorization", f"Basic {b64encode(b'ada:lovelace').decode()}"),
    ("Authorization", f"Basic {b64encode(b'bob:ross').decode()}"),
)

nginx = required_program("nginx")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for place in ("files", "static", "assets"):
        (tmp_path / place).mkdir()
    (tmp_path / "files" / NAME).write_bytes(b"%PDF of Ada")
    (tmp_path / "static/site.css").write_text("body { color: teal }")
    (tmp_path / "assets/index-BkC3x9Qz.js").write_text("start()")
    (tmp_path / "static/site.css.gz").write_bytes(compress(b"body { color: teal }"))
    (tmp_path / "assets/.map").write_text("hidden")
    (tmp_path / "shop.py").write_text(APP)
    monkeypatch.setenv("SHOP_FOLDER", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    return tmp_path


def made():
    page: dict = {"__name__": "shop"}
    exec(APP, page)
    return page["app"]


@pytest.mark.parametrize("by_nginx", [False, True])
def test_the_app_sends_files_itself_where_no_nginx_is(by_nginx, folder, monkeypatch):
    monkeypatch.setenv("FILES_BY_NGINX", str(by_nginx).lower())
    client = Client(made(), headers=[ADA])
    response = client.get(
        "/invoices/7", headers={"x-sendfile-type": "X-Accel-Redirect", "x-accel-mapping": "/=/private/"}
    )
    assert (response.body == b"%PDF of Ada") is not by_nginx
    assert response.headers.get("x-accel-redirect") == (PRIVATE if by_nginx else None)
    (folder / "files" / NAME).unlink()
    assert client.get("/invoices/7").status == 404


@pytest.mark.processes
def test_nginx_sends_what_the_app_allows(nginx, folder, monkeypatch):
    monkeypatch.setenv("FILES_BY_NGINX", "true")
    with ServerProcess(RUN, "shop:app") as app:
        changes = {
            "listen 80;": "listen 127.0.0.1:@port@;",
            "unix:/run/shop.sock": f"127.0.0.1:{app.port}",
            "/srv/shop/": f"{folder}/",
            "/var/cache/nginx/shop": f"{folder}/cache",
        }
        distrust = "location /distrusted/ { proxy_ignore_headers X-Accel-Redirect; proxy_pass http://shop/; }"
        site = SITE.replace("location /assets/", f"{distrust}\n    location /assets/")
        for old, new in changes.items():
            assert old in site
            site = site.replace(old, new)
        (folder / "site.conf").write_text(site)
        with serve_site(nginx, folder, folder / "site.conf") as proxy:
            the_owner_gets_the_file(proxy)
            nobody_else_gets_it(proxy)
            the_app_is_asked_once_for_a_static_file(proxy, app)


def ask(proxy, target, *fields, method="GET"):
    return proxy.respond(SentRequest(method, target, fields))


def the_owner_gets_the_file(proxy):
    whole = ask(proxy, "/invoices/7", ADA)
    assert (whole.status, whole.body) == (200, b"%PDF of Ada")
    assert whole.values("content-type") == ["application/pdf"]
    assert whole.values("cache-control") == ["private, no-cache"]
    assert "M%C3%A4rz%2050" in whole.values("content-disposition")[0]
    assert whole.values("x-accel-redirect") == []
    part = ask(proxy, "/invoices/7", ADA, ("Range", "bytes=8-"))
    assert (part.status, part.body) == (206, b"Ada")
    assert ask(proxy, "/invoices/7", ADA, ("If-None-Match", whole.values("etag")[0])).status == 304
    assert ask(proxy, "/invoices/7", ADA, method="HEAD").values("content-length") == ["11"]


def nobody_else_gets_it(proxy):
    forged = ("X-Accel-Redirect", PRIVATE), ("X-Sendfile-Type", "X-Accel-Redirect"), ("X-Accel-Mapping", "/=/private/")
    assert ask(proxy, "/invoices/7").status == 401
    assert ask(proxy, "/distrusted/invoices/7", ADA).body == b""
    assert ask(proxy, "/invoices/7", BOB, *forged).status == 404
    for target in (
        PRIVATE,
        f"/assets/..{PRIVATE}",
        f"/assets../files/{PRIVATE[9:]}",
        f"/static/..%2ffiles/{PRIVATE[9:]}",
        "/assets/../files/",
    ):
        assert ask(proxy, target, *forged).status == 404, target
        assert b"Ada" not in ask(proxy, target, BOB, *forged).body


def the_app_is_asked_once_for_a_static_file(proxy, app):
    assert ask(proxy, "/assets/index-BkC3x9Qz.js").values("cache-control") == ["public, max-age=31536000, immutable"]
    hashed = "/static/site.56728551dac9.css"
    fresh = ask(proxy, hashed)
    assert (fresh.status, fresh.values("cache-control")) == (200, ["public, max-age=31536000, immutable"])
    assert ask(proxy, "/static/site.css").values("cache-control") == ["no-cache"]
    gzip = ask(proxy, hashed, ("Accept-Encoding", "gzip"))
    assert (gzip.values("content-encoding"), fresh.values("content-encoding")) == (["gzip"], [])
    assert app.terminate() == 0
    assert ask(proxy, hashed, ("Accept-Encoding", "gzip")).body == gzip.body
    assert ask(proxy, hashed).body == fresh.body
    assert ask(proxy, hashed, ("Range", "bytes=0-3")).body == b"body"
    assert ask(proxy, "/assets/.map").body == b"hidden"
    assert ask(proxy, "/static/site.css").status == 502
