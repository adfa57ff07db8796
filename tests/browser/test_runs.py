"""A run in a browser: the page is reloaded, and the server replaced, while it is followed by EventSource and fetch."""

import re
import signal
from pathlib import Path

import pytest

from tests.contract.process import ServerProcess
from tests.features.runs.test_served import ASGI, start

DOCUMENTED = (Path(__file__).parents[2] / "docs/how-to/runs.md").read_text()
SLOW = """
async def ask_model(question):
    for number in range(1, 41):
        yield f"{question}{number} "
        await asyncio.sleep(0.05)
"""
pytestmark = pytest.mark.processes


def test_a_page_shows_each_value_once_over_a_reload_and_a_restart(browser, tmp_path, monkeypatch):
    monkeypatch.setenv("STORE", str(tmp_path / "runs.db"))
    with ServerProcess(ASGI, "tests.helpers.served.runs:app") as server:
        run = start(server, 40, pause=0.05, source="words")  # no longer than the grace of the restart
        url = f"http://127.0.0.1:{server.port}/page#/runs/{run['id']}"
        page = browser.open(url)
        page.wait_until("() => events.innerText.startsWith('1 2 3 ')")
        page.run("() => { setTimeout(() => location.reload()) }")
        page.wait_until("() => events.innerText.startsWith('1 2 3 4 5 ')")
        server.send_signal(signal.SIGUSR2)
        everything = "".join(f"{n} " for n in range(1, 41))
        page.wait_until(f"() => events.innerText === '{everything}done'")
        page.run("() => { setTimeout(() => location.reload()) }")
        lines = "".join(f'"{n} "\\n' for n in range(1, 41))
        page.wait_until(f"() => fetched.textContent === `{lines}end`".replace("\\n", "\n"))
        browser_stop = start(server, 1000, pause=0.05, source="words")
        page = browser.open(f"http://127.0.0.1:{server.port}/page#/runs/{browser_stop['id']}")
        page.wait_until("() => events.innerText.startsWith('1 2 3 ')")
        page.run("id => fetch(`/runs/${id}`, {method: 'DELETE'})", browser_stop["id"])
        page.wait_until("() => events.innerText.endsWith('stopped') && fetched.textContent.endsWith('cut')")


def test_the_chat_of_the_page_goes_on_after_a_reload(browser, tmp_path, monkeypatch):
    [program] = re.findall(r'^```python title="answers.py"\n(.*?)^```$', DOCUMENTED, re.MULTILINE | re.DOTALL)
    (tmp_path / "answers.py").write_text(program.replace("runs.db", str(tmp_path / "runs.db")) + SLOW)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    everything = "".join(f"a{n} " for n in range(1, 41)).strip()
    with ServerProcess((*ASGI, "--workers", "2"), "answers:app") as server:
        page = browser.open(f"http://127.0.0.1:{server.port}/")
        page.run("() => { form.question.value = 'a'; form.requestSubmit(); }")
        page.wait_until("() => output.textContent.startsWith('a1 a2 a3 ')")
        page.run("() => { setTimeout(() => location.reload()) }")
        page.wait_until(f"() => output.textContent === '{everything}  (done)'")
        page.run("() => { form.question.value = 'b'; form.requestSubmit(); }")
        page.wait_until("() => output.textContent.startsWith('b1 b2 b3 ')")
        page.run("() => form.querySelector('[type=button]').click()")
        page.wait_until("() => output.textContent.endsWith('(stopped)')")
