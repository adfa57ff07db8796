"""The page on resumable uploads: its script in Chromium, over HTTP/2 to nginx, before two workers that are killed."""

import json
import os
import re
import signal
from hashlib import sha256
from pathlib import Path

import pytest

from tests.contract.process import ServerProcess
from tests.contract.wire import SentRequest
from tests.helpers.authority import Authority
from tests.helpers.chromium import Chromium
from tests.helpers.nginx import serve_site
from tests.helpers.system_programs import required_program

pytestmark = pytest.mark.processes

PAGE = (Path(__file__).parents[2] / "docs/how-to/resumable-uploads.md").read_text()
(SCRIPT,) = re.findall(r"^```js\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
SITE = """
client_max_body_size 2m;
server {
    listen 127.0.0.1:@port@ ssl http2;
    ssl_certificate CERTIFICATE;
    ssl_certificate_key KEY;
    location / {
        proxy_pass http://127.0.0.1:UPSTREAM;
        proxy_set_header Host $http_host;
        proxy_http_version 1.1;
        proxy_request_buffering off;
    }
}
"""
FILE = """
const bytes = Uint8Array.from({length: 5 << 20}, (_, at) => at % 251)
window.film = new File([bytes], "film", {lastModified: 7, type: "video/mp4"})
window.send = async (told) =>
  upload("/films", film, {size: 1 << 20, headers: {"X-Title": "Lamp"}, progress: (done) => told.push(done)})
"""
BEGUN = """
() => {
  const sent = window.fetch
  let left = 3  // the first request and two parts
  window.fetch = (...given) => left-- > 0 ? sent(...given) : new Promise(() => {})
  window.told = []
  send(told)
}
"""
RESUMED = """
async () => {
  const told = [], response = await send(told)
  return {told, status: response.status, json: await response.json(), left: localStorage.length,
          protocol: performance.getEntriesByType("navigation")[0].nextHopProtocol}
}
"""

chromium = required_program("chromium")
nginx = required_program("nginx")


@pytest.mark.parametrize("interface", ["asgi", "wsgi", "rsgi"])
def test_a_page_continues_after_it_was_loaded_again_and_a_worker_was_killed(
    chromium, nginx, interface, tmp_path, monkeypatch
):
    script = tmp_path / "script.js"
    script.write_text(SCRIPT.replace("export ", "") + FILE)
    given = {"STORE": tmp_path / "store.db", "FOLDER": tmp_path, "FILMS": tmp_path / "films", "SCRIPT": script}
    for name, value in given.items():
        monkeypatch.setenv(name, str(value))
    run = "-m", "antiphon", "run", "{app}", "--port", "{port}", "--workers", "2", "--interface", interface
    with ServerProcess(run, "tests.helpers.served.films:app") as server:
        certificate, key = Authority(tmp_path).issue("127.0.0.1")
        site = SITE.replace("CERTIFICATE", certificate).replace("KEY", key).replace("UPSTREAM", str(server.port))
        (tmp_path / "site.conf").write_text(site)
        with (
            serve_site(nginx, tmp_path, tmp_path / "site.conf") as proxy,
            Chromium(chromium, tmp_path / "profile", "--ignore-certificate-errors") as browser,
        ):
            page = browser.open(f"https://127.0.0.1:{proxy.port}/")
            page.run(BEGUN)
            page.wait_until("() => told.length >= 2")
            page.go(f"https://127.0.0.1:{proxy.port}/")
            os.kill(json.loads(server.respond(SentRequest("GET", "/pid")).body)["pid"], signal.SIGKILL)
            found = page.run(RESUMED)
    whole = bytes(at % 251 for at in range(5 << 20))
    assert (found["status"], found["json"]) == (201, {"title": "Lamp", "sha256": sha256(whole).hexdigest()})
    assert (found["told"], found["left"], found["protocol"]) == ([0.6, 0.8], 0, "h2")
    assert len((tmp_path / "films").read_text().split()) == 1
