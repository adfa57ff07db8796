"""The page about language models: its app speaks to the AI SDK, and closes the model when a client leaves.

`scripts/weekly api-clients` fetches the SDK; without it that test is skipped.
"""

import asyncio
import gc
import os
import re
import subprocess
from pathlib import Path

import pytest

from antiphon.testing import Client
from tests.contract.process import ServerProcess
from tests.helpers.rows import rows

pytestmark = [pytest.mark.once]

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/how-to/stream-a-model.md").read_text()
FILES = dict(re.findall(r'^```\w+ title="(.+?)"\n(.*?)^```$', PAGE, re.MULTILINE | re.DOTALL))
TOOLS = Path(os.environ.get("API_CLIENTS", ROOT / "var" / "api-clients"))
"""The folder with the packages of npm."""
FAILING = """
async def ask_model(question):
    yield "You "
    raise ValueError("The model has failed.")
"""
ASKED = {"messages": [{"role": "user", "parts": [{"type": "text", "text": "why?"}]}], "trigger": "submit-message"}


@pytest.mark.processes
@pytest.mark.parametrize("fails", [False, True])
def test_the_ai_sdk_reads_the_answer(tmp_path, monkeypatch, fails):
    if not (TOOLS / "node_modules" / "ai").is_dir():
        pytest.skip("scripts/weekly api-clients fetches the generators")
    (tmp_path / "chat.py").write_text(FILES["chat.py"] + FAILING * fails)
    (tmp_path / "chat.mjs").write_text(FILES["chat.mjs"])
    (tmp_path / "node_modules").symlink_to(TOOLS / "node_modules")
    monkeypatch.chdir(tmp_path)
    with ServerProcess(("-m", "antiphon", "run", "{app}", "--port", "{port}"), "chat:app") as process:
        command = ["node", "chat.mjs", f"http://127.0.0.1:{process.port}"]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if fails:
        assert ran.returncode == 1
        assert ran.stdout.split() == ["You"]
    else:
        assert (ran.returncode, ran.stderr) == (0, "")
        assert ran.stdout.splitlines()[:4] == ["", "You ", "You asked: ", "You asked: why?"]


@rows("interface", ["wsgi", "asgi", "rsgi"])
def test_a_client_that_leaves_closes_the_model(interface):
    closed = []

    async def ask_model(question):
        try:
            while True:
                yield question
                await asyncio.sleep(0)
        finally:
            closed.append(question)

    page = {}
    exec(FILES["chat.py"], page)
    page["ask_model"] = ask_model
    gc.disable()
    try:
        with Client(page["app"], interface).stream("POST", "/chat", json=ASKED) as response:
            assert next(response) == b'data: {"type":"text-start","id":"1"}\n\n'
            assert next(response) == b'data: {"type":"text-delta","id":"1","delta":"why?"}\n\n'
        assert closed == ["why?"]
    finally:
        gc.enable()
