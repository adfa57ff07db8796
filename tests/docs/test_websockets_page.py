"""The page on WebSockets: a real nginx with its configuration, before its app."""

import json
import re
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.contract.process import ServerProcess
from tests.contract.sockets.cases import opened, refused
from tests.helpers.nginx import serve_site
from tests.helpers.processes import RUN
from tests.helpers.system_programs import required_program
from tests.helpers.waiting import DEADLINE, eventually

PAGE = (Path(__file__).parents[2] / "docs/how-to/websockets.md").read_text()
CHAT, CHAT_OVER_PROCESSES, *_ = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
(SITE,) = re.findall(r"^```nginx\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)

COMMANDS = {name: (*RUN, "--interface", name) for name in ("asgi", "rsgi")}
COMMANDS["uvicorn"] = ("-m", "uvicorn", "{app}", "--port", "{port}")
COMMANDS["gunicorn"] = ("-m", "gunicorn", "{app}", "--threads", "32", "--bind", "127.0.0.1:{port}")

nginx = required_program("nginx")


@pytest.mark.processes
def test_the_chat_behind_nginx(nginx, tmp_path, monkeypatch):
    (tmp_path / "chat.py").write_text(CHAT.replace("App()", 'App(trusted_proxies=["127.0.0.1"])'))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    with ServerProcess(RUN, "chat:app") as app:
        site = SITE.replace("listen 80", "listen 127.0.0.1:@port@").replace("127.0.0.1:8000", f"127.0.0.1:{app.port}")
        (tmp_path / "site.conf").write_text(site)
        with serve_site(nginx, tmp_path, tmp_path / "site.conf") as proxy:
            with opened(proxy, "/rooms/lobby") as ada, opened(proxy, "/rooms/lobby") as bob:
                bob.send('{"text":"hello"}')
                assert ada.recv(DEADLINE) == bob.recv(DEADLINE) == '{"text":"hello"}'
            own = f"http://127.0.0.1:{proxy.port}"
            assert refused(proxy, "/rooms/lobby", headers={"Origin": own}) is None
            assert refused(proxy, "/rooms/lobby", headers={"Origin": "http://evil.example"}).status_code == 403


@pytest.mark.processes
@pytest.mark.parametrize("pair", [("asgi", "rsgi"), ("rsgi", "gunicorn"), ("uvicorn", "asgi")], ids="-".join)
def test_the_chat_over_processes_of_which_one_is_killed(pair, tmp_path, monkeypatch):
    (tmp_path / "chat.py").write_text(CHAT_OVER_PROCESSES.partition("\nwith Client")[0])
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("STORE", str(tmp_path / "store.db"))
    with ExitStack() as stack:
        one, other = (stack.enter_context(ServerProcess(COMMANDS[name], "chat:app")) for name in pair)

        def enter(server, query):
            socket = stack.enter_context(opened(server, f"/rooms/lobby?{query}"))
            return socket, json.loads(socket.recv(DEADLINE))["here"]

        def hear(*sockets):
            heard, *others = [socket.recv(DEADLINE) for socket in sockets]
            assert others in ([], [heard])
            return json.loads(heard)

        (ann, _), (bob, here) = enter(one, "as=ann"), enter(other, "as=bob")
        assert here == ["ann", "bob"]
        ann.send('{"text":"Tea!"}')
        last = hear(ann, bob)
        bob.send('{"text":7}')
        assert json.loads(bob.recv(DEADLINE))["status"] == 422
        bob.send('{"text":"Milk?"}')
        assert hear(ann, bob)["text"] == "Milk?"
        one.kill()
        bob.send('{"text":"Ann?"}')
        assert hear(bob)["text"] == "Ann?"
        ann, here = enter(other, f"as=ann&since={last['id']}")
        assert here == ["ann", "bob"]
        assert [hear(ann)["text"] for _ in range(2)] == ["Milk?", "Ann?"]
        bob.close()
        eventually(lambda: enter(other, "as=eve")[1] == ["ann", "eve"] or None, "bob is still here")
