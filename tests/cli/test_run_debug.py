"""`antiphon run --debug`, in processes and over sockets."""

import json

import pytest

pytestmark = [pytest.mark.processes, pytest.mark.axes("interface")]

APP = """
import asyncio
import time

from antiphon import App, is_debug

app = App()
loaded_in_debug = is_debug()


@app.get("/")
def index(request):
    return str(loaded_in_debug)


@app.get("/bug")
async def bug(request):
    password = "opensesame"
    raise LookupError("lost " + password)


@app.get("/blocking")
async def blocking(request):
    time.sleep(0.4)
    return "slow"


@app.get("/waiting")
async def waiting(request):
    await asyncio.sleep(0.4)
    return "slow"


@app.get("/thread")
def thread(request):
    time.sleep(0.4)
    return "slow"
"""


@pytest.fixture
def shop(tmp_path):
    (tmp_path / "shop.py").write_text(APP)
    return "shop:app"


def test_errors_are_answered_by_a_page_and_by_problem_details(antiphon, shop, interface):
    command = antiphon(shop, "--debug", "--interface", interface).serving()
    assert command.get("/") == "True"
    page = command.get("/bug", accept="text/html")
    assert "<h1><b>LookupError</b> <span>lost [masked]</span></h1>" in page
    assert "<h2>shop.py, line 19, in bug</h2>" in page
    assert json.loads(command.get("/bug"))["debug"]["errors"][0]["frames"][-1]["code"].startswith("raise LookupError")
    command.wait_until(lambda: command.err.count("Traceback (most recent call last)") == 2)
    assert "Warning" not in command.err


def test_a_call_that_blocks_an_event_loop_is_logged_with_its_line(antiphon, shop, interface):
    command = antiphon(shop, "--debug", "--interface", interface).serving()
    for path in ("/waiting", "/thread", "/blocking", "/blocking"):
        assert command.get(path) == "slow"
    command.wait_until(lambda: "blocked" in command.err)
    command.get("/bug")
    lines = [line for line in command.err.splitlines() if "event loop was blocked" in line]
    assert not [line for line in lines if "in waiting" in line or "in thread" in line]
    [line] = [line for line in lines if "in blocking" in line]  # a busy machine may block others
    assert "shop.py, line 24, in blocking: time.sleep(0.4) (GET '/blocking', handled by blocking (shop.py:22))" in line


@pytest.mark.once
def test_without_the_flag_nothing_is_shown(antiphon, shop):
    command = antiphon(shop).serving()
    assert command.get("/") == "False"
    assert "lost" not in command.get("/bug", accept="text/html")


@pytest.mark.once
def test_the_file_of_settings_may_switch_it_on(antiphon, shop, tmp_path):
    (tmp_path / ".env").write_text("ANTIPHON_DEBUG=1\n")
    assert antiphon(shop).serving().get("/") == "True"


@pytest.mark.once
@pytest.mark.parametrize("place", [["--host", "0.0.0.0"], ["--uds", "shop.sock"]], ids=["every address", "unix socket"])
def test_a_place_that_others_may_reach_is_warned_of(antiphon, shop, place):
    command = antiphon(shop, "--debug", *place).serving()
    assert "Warning: debug mode shows the code and the values of the app to everyone who can reach" in command.err
    assert "LookupError" in command.get("/bug", accept="text/html", host="shop.example")
