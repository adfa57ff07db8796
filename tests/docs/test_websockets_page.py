"""The page on WebSockets: a real nginx with its configuration, before its app."""

import re
from pathlib import Path

import pytest

from tests.contract.process import ServerProcess
from tests.contract.sockets.cases import opened, refused
from tests.helpers.nginx import serve_site
from tests.helpers.processes import RUN
from tests.helpers.system_programs import required_program
from tests.helpers.waiting import DEADLINE

PAGE = (Path(__file__).parents[2] / "docs/how-to/websockets.md").read_text()
CHAT = re.search(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)[1]
(SITE,) = re.findall(r"^```nginx\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)

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
