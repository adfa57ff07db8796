"""What somebody may try who means harm or is only unlucky: many at once, forged cookies, addresses of other sites."""

import json
import os
import re
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from types import ModuleType
from typing import ClassVar
from urllib.parse import urlencode

import pytest

from antiphon import App, get_response
from antiphon import Request as NativeRequest
from antiphon.dialects.asok import Asok
from tests.dialects.asok.conftest import write_files
from tests.helpers.rows import rows


@rows("is_mounted", [False, True])
def test_a_page_is_run_once_by_many_first_requests_at_once(tmp_path, is_mounted):
    page = """
import time
from pathlib import Path
with Path(ROOT, "runs").open("a") as file:
    file.write("x")
time.sleep(0.05)
def render(request): return "x"
"""
    app = Asok(write_files(tmp_path, {"page.py": page.replace("ROOT", repr(str(tmp_path)))}))
    if is_mounted:
        app, inner = App(), app
        app.mount("", inner)
    together = Barrier(8)

    def ask(_):
        together.wait()
        return get_response(app, NativeRequest.blank("/")).status

    with ThreadPoolExecutor(8) as pool:
        assert [*pool.map(ask, range(8))] == [200] * 8
    assert (tmp_path / "runs").read_text() == "x"


EVIL = [
    "//evil.example", "///evil.example", "\\\\evil.example", "/\\evil.example", "/\t/evil.example", "\t//evil.example",
    " //evil.example", "/\n/evil.example", "https://evil.example", "HTTPS:evil.example", "https:/evil.example",
    "javascript:alert(1)", "data:text/html,x", "http://testserver@evil.example/", "http://testserver.evil.example/",
    "http://testserver:80@evil.example", "http://evil.example\\@testserver/", "http://testserver\\.evil.example/",
    "http://testserver:8080/", "https://testserver/", "/%5Cevil.example/..//evil", "/a\r\nset-cookie: a=b", "/\0",
    "/a\u2028b", "\ufeff//evil.example", "http:evil.example", "//testserver@evil.example", "/..//evil.example",
]  # fmt: skip


def is_here(location):
    """True if a browser stays on this site (WHATWG URL: tabs and line ends are dropped, backslashes are slashes)."""
    seen = re.sub(r"[\t\r\n]", "", location).strip("".join(map(chr, range(33)))).replace("\\", "/")
    return not re.match(r"//|[A-Za-z][A-Za-z0-9+.-]*:", seen) or seen.startswith("http://testserver/")


class TestARedirect:
    """One that a client has chosen: ``?next=``, a Referer."""

    @pytest.fixture
    def client(self, serve):
        return serve({
            "page.py": "def render(request):\n    request.redirect(request.args['next'])",
            "src/pages/back/page.py": "def render(request):\n    request.back(default='/home')",
        })  # fmt: skip

    @rows("evil", EVIL)
    def test_leads_to_no_other_site(self, client, evil):
        response = client.get(f"/?{urlencode({'next': evil})}")
        assert response.status == 400 or is_here(response.location)
        assert "set-cookie" not in response.headers
        if evil.isprintable() and evil.isascii() and evil == evil.strip():
            location = client.get("/back", headers={"referer": evil}).location
            assert location == "/home" or (is_here(location) and evil.startswith("/"))

    def test_leads_anywhere_on_this_one(self, client):
        for url in ("/a", "/a?b=//c", "a/b", "?x", "http://testserver/a?b"):
            assert client.get(f"/?{urlencode({'next': url})}").location == url
        assert client.get("/back", headers={"referer": "http://testserver/a?b"}).location == "/a?b"
        assert client.get("/back").location == "/home"


class TestAFile:
    """One that a client has named."""

    OUTSIDE: ClassVar = [
        "../secret.txt", "{root}/secret.txt", "{folder}/../secret.txt", "{folder}/out.txt", "{folder}-b/c.txt",
        "{folder}/pipe", "{folder}", "/etc/passwd", "//etc/passwd", "/proc/self/environ", "/dev/zero",
        "file:///etc/passwd", "..%2fsecret.txt", "%2e%2e/secret.txt", "a/../../secret.txt", "..\\secret.txt", "out.txt",
        "outer/secret.txt", "pipe", "A.TXT", "a\0.txt", "", ".", "..", "a", "a" * 5000, "/a" * 3000, "\udc80",
    ]  # fmt: skip

    @rows("base", [", base_dir=request.app.root_dir + '/files'", ""], ids=["files", "uploads"])
    def test_is_none_outside_of_the_folder(self, serve, tmp_path, base):
        folder = tmp_path / ("files" if base else "src/partials/uploads")
        names = [name.replace("{folder}", str(folder)).replace("{root}", str(tmp_path)) for name in self.OUTSIDE]
        page = f"""
names = {names!r}
def render(request):
    return request.send_file(names[int(request.args["n"])]{base})
"""
        files = {
            "page.py": page,
            f"{folder}/a/b.txt": "b",
            f"{folder}/a.txt": "a",
            f"{folder}-b/c.txt": "secret",
            f"{folder.parent}/secret.txt": "secret",
            f"{tmp_path}/secret.txt": "secret",
        }
        client = serve(files, folder=tmp_path)
        (folder / "out.txt").symlink_to(tmp_path / "secret.txt")
        (folder / "outer").symlink_to(tmp_path)
        os.mkfifo(folder / "pipe")
        answers = [client.get(f"/?n={n}") for n in range(len(names))]
        served = [(name, answer.status) for name, answer in zip(names, answers, strict=True) if answer.status != 404]
        assert served == []

    def test_is_one_of_the_folder_by_either_path(self, serve, tmp_path):
        folder = tmp_path / "src/partials/uploads"
        page = "def render(request):\n    return request.send_file(request.args['name'])"
        client = serve({"page.py": page, f"{folder}/a.txt": "text", f"{folder}/b/c": ""}, folder=tmp_path)
        (folder / "in.txt").symlink_to(folder / "a.txt")
        for name in ("a.txt", "/a.txt", "./b/../a.txt", "in.txt", f"{folder}/a.txt", f"{folder}/in.txt"):
            response = client.get(f"/?{urlencode({'name': name})}")
            assert (response.status, response.text) == (200, "text"), name

    def test_is_offered_under_its_name_and_no_header_more(self, serve):
        page = """
def render(request):
    return request.send_file("a.txt", filename=request.args["as"], base_dir=request.app.root_dir + "/files")
"""
        client = serve({"page.py": page, "files/a.txt": "text"})
        for name in ('a"; x="b.txt', "a\r\nset-cookie: a=b", "../../a.txt", "\u202ecod.exe", "a\0b", ""):
            response = client.get(f"/?{urlencode({'as': name})}")
            assert response.status == 200
            assert "set-cookie" not in response.headers
            disposition = response.headers["content-disposition"]
            assert re.match(r'attachment; filename=("[^"\x00-\x1f]+"|[\w.]+)(;|$)', disposition)


LANGUAGES = [
    "../../etc/passwd", "fr\r\nset-cookie: a=b", "fr;q=1, en", "*", "fr\0", "FR", "<script>", "a" * 5000,
    "fr-" + "-".join(["x"] * 3000), ",".join(["xx;q=0.1"] * 5000), "-".join("a" * 9 for _ in range(900)),
]  # fmt: skip


def test_a_language_is_one_of_those_that_are_there_whatever_is_asked_for(serve):
    client = serve({
        "page.py": "def render(request):\n    return f'{request.lang} {request.__(\"hello\")}'",
        "src/locales/en.json": '{"hello": "Hello"}',
        "src/locales/fr.json": '{"hello": "Bonjour"}',
    })  # fmt: skip
    for asked in LANGUAGES:
        ways = [{}, {"accept-language": asked}, {"cookie": f"asok_lang={asked}"}][: 3 if asked.isprintable() else 1]
        for headers in ways:
            path = "/" if headers else f"/?{urlencode({'lang': asked})}"
            assert client.get(path, headers=headers).text in {"en Hello", "fr Bonjour"}
            client.cookies.clear()


@rows("color", ["def", "async def"])
def test_the_current_request_is_that_of_the_task_and_the_thread(serve, color):
    page = f"""
import asyncio, time
from antiphon.dialects.asok import current_request, flash
{color} render(request):
    mark = request.args["mark"]
    {"await asyncio.sleep(0.002)" if color != "def" else "time.sleep(0.002)"}
    request.session["mark"] = mark
    current_request.header("x-mark", mark)
    flash("info", mark)
    shown = [msg.message for msg in current_request.get_flashed_messages()]
    return request.json([current_request.args["mark"], current_request.session["mark"], shown, request.nonce])
"""
    client = serve({"page.py": page}, "asgi")
    app = client.app

    def ask(mark):
        response = get_response(app, NativeRequest.blank(f"/?mark={mark}"))
        found, kept, shown, nonce = json.loads(response.body)
        assert f"nonce-{nonce}" in response.headers["content-security-policy"]
        return [found, kept, *shown, response.headers["x-mark"]], nonce

    with ThreadPoolExecutor(16) as pool:
        answers = [*pool.map(ask, map(str, range(100)))]
    assert [answer for answer, _ in answers] == [[str(each)] * 4 for each in range(100)]
    assert len({nonce for _, nonce in answers}) == 100


class TestALimit:
    def test_is_one_for_all_paths_that_have_no_page(self, serve):
        page = "def render(request):\n    request.rate_limit('2/m')\n    return 'nothing here'"
        client = serve({"src/pages/404/page.py": page})
        assert [client.get(f"/{number}").status for number in range(3)] == [404, 404, 429]

    def test_of_passwords_is_one_for_the_network_of_a_customer(self, serve, clients):
        class Model:
            @staticmethod
            def find(**_values):
                return None

        page = """
def render(request):
    request.authenticate(name="a", password="b")
    return str(request.app.session_store.native.increment("authenticate\\n20010db800010002", ttl=9, by=0).value)
"""
        app = serve({"page.py": page}, prepare=lambda app: app.config.update(AUTH_MODEL=Model)).app
        answers = [clients(app, client=(f"2001:db8:1:2::{number}", 50000)).get("/").text for number in range(3)]
        assert answers == ["1", "2", "3"]


@rows("value", [None, "", 0])
def test_a_session_without_a_user_is_nobody_s(serve, value):
    page = f"""
def render(request):
    request.session["user_id"] = {value!r}
    return request.json([request.user, request.session.get("user_id")])
"""
    client = serve({"page.py": page}, prepare=lambda app: app.user_loader(lambda key: f"user {key}"))
    assert client.get("/").json[0] is None
    assert client.get("/").json[0] is None


def test_no_name_of_asok_is_that_of_a_module_here(serve):
    import antiphon.dialects.asok as asok

    serve({"page.py": "CONTENT = 'x'"}).get("/")
    assert [name for name in asok.__all__ if isinstance(getattr(asok, name), ModuleType)] == []
