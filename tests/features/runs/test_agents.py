"""The project of `antiphon new --template agent`, used by the clients of npm through everything that happens to it."""

import json
import signal
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from click.testing import CliRunner

from antiphon.cli.main import main
from tests.contract.process import ServerProcess
from tests.features.runs.test_served import TOOLS
from tests.helpers.processes import RUN

pytestmark = [pytest.mark.once, pytest.mark.processes]


class Tab:
    def __init__(self, place, chat):
        command = ["node", "tab.mjs", str(place), chat]
        self._process = subprocess.Popen(command, stdin=-1, stdout=-1, text=True, bufsize=1, cwd=place.parent)

    def begin(self, command):
        self._process.stdin.write(f"{command}\n")

    def end(self):
        return json.loads(self._process.stdout.readline())

    def do(self, command):
        self.begin(command)
        return self.end()

    def close(self):
        self._process.kill()
        self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()


class Service:
    """The agent at an address that changes with each restart."""

    def __init__(self, stack, folder):
        self._stack, self.place = stack, folder / "address"
        self.start()

    def start(self):
        self.server = self._stack.enter_context(
            ServerProcess((*RUN, "--workers", "2", "--grace", "1"), "helper_one.app:app")
        )
        self.place.write_text(f"http://127.0.0.1:{self.server.port}")

    def restart(self, number):
        if number == signal.SIGUSR2:
            self.server.send_signal(number)
            time.sleep(2)
            return
        if number == signal.SIGKILL:
            self.server.kill()
        else:
            self.server.end()
        self.start()

    def tab(self, chat):
        tab = Tab(self.place, chat)
        self._stack.callback(tab.close)
        assert "error" not in tab.do("load")
        return tab


@pytest.fixture
def service(tmp_path, monkeypatch):
    if not (TOOLS / "node_modules" / "ai").is_dir():
        pytest.skip("scripts/weekly api-clients fetches the generators")
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(main, ["new", "helper-one", "--template", "agent"]).exit_code == 0
    project = tmp_path / "helper-one"
    (project / "tab.mjs").write_text((Path(__file__).parent / "tab.mjs").read_text())
    (project / "node_modules").symlink_to(TOOLS / "node_modules")
    monkeypatch.chdir(project)
    monkeypatch.setenv("AGENT_TOKENS", "ann:of-ann")
    with ExitStack() as stack:
        yield Service(stack, project)


ASKED = "I can order tea. [tool-Approval approval-requested]"
DONE = '[tool-Approval output-available][step-start ][data-tool ]You said: {"item":"tea","count":1}'


def test_an_approval_waits_through_all_restarts_and_is_seen_by_all_tabs(service):
    """In the form of useChat: one tab asks, and another one, opened after the restarts, replies."""
    first = service.tab("1")
    shown = first.do("send order tea")
    assert (shown["status"], shown["text"]) == ("ready", ASKED)
    for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGKILL, signal.SIGUSR2, signal.SIGKILL, signal.SIGKILL):
        service.restart(number)
    second = service.tab("1")
    assert second.do("reply yes") == {"text": f"I can order tea. {DONE}", "status": "ready"}
    late = first.do("reply no")
    assert (late["status"], "409" in late["error"] or "already replied" in late["error"]) == ("error", True)
    assert first.do("load")["text"] == 'I can order tea. You said: {"item":"tea","count":1}'


def test_a_tab_that_is_cut_off_gets_an_error_and_after_a_reload_the_whole_response(service):
    words = " ".join(map(str, range(200)))
    for number in (signal.SIGKILL, signal.SIGTERM):
        tab = service.tab(str(number))
        tab.begin(f"send {words}")
        time.sleep(0.7)
        service.restart(number)
        assert tab.end()["status"] == "error"
        text = tab.do("load")["text"]
        assert text == f"You said: {words}"
