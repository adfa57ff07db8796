"""Messages: each revision's shape, what is refused and how, and answers without a session."""

import json
import re

from tests.helpers.rows import rows

MODERN = "2026-07-28"
META = "io.modelcontextprotocol/"


def modern(method, version=MODERN, **params):
    meta = {f"{META}protocolVersion": version, f"{META}clientCapabilities": {}}
    return {"jsonrpc": "2.0", "id": "a", "method": method, "params": {"_meta": meta, **params}}


def legacy(method, **params):
    return {"jsonrpc": "2.0", "id": 7, "method": method, "params": params}


def fields(method, version=MODERN, **more):
    found = {"mcp-protocol-version": version, "mcp-method": method, "accept": "application/json, text/event-stream"}
    return {**found, **{name.replace("_", "-"): value for name, value in more.items()}}


def send(client, message, headers=()):
    return client.post("/mcp", json=message, headers=dict(headers))


def test_discovery_says_who_the_server_is_and_what_it_can(shop):
    found = send(shop, modern("server/discover"), fields("server/discover")).json
    assert found["id"] == "a"
    assert found["result"] == {
        "resultType": "complete",
        "supportedVersions": ["2026-07-28", "2025-11-25", "2025-06-18"],
        "capabilities": {"tools": {}, "logging": {}, "prompts": {}, "resources": {}},
        "instructions": "The lamps of a shop.",
        "_meta": {f"{META}serverInfo": {"name": "Lamps", "version": "2"}},
        "ttlMs": 60_000,
        "cacheScope": "private",
    }


@rows(
    "asked, agreed",
    ("2025-11-25", "2025-11-25"), ("2025-06-18", "2025-06-18"), ("2025-03-26", "2025-11-25"),
    ("2024-11-05", "2025-11-25"), ("2099-01-01", "2025-11-25"), (None, "2025-11-25"),
)  # fmt: skip
def test_a_handshake_agrees_on_a_revision_and_begins_a_session(asked, agreed, shop):
    response = send(shop, legacy("initialize", protocolVersion=asked, capabilities={}))
    assert response.json["result"]["protocolVersion"] == agreed
    assert response.json["result"]["serverInfo"] == {"name": "Lamps", "version": "2"}
    assert re.fullmatch(r"[\w-]{22}\.", response.headers["mcp-session-id"])
    assert send(shop, {"jsonrpc": "2.0", "method": "notifications/initialized"}).status == 202
    assert send(shop, legacy("ping"), {"mcp-protocol-version": agreed}).json == {
        "jsonrpc": "2.0", "id": 7, "result": {},
    }  # fmt: skip


CALL = modern("tools/call", name="show_lamp", arguments={"number": 1})
REFUSED = [  # message, headers, status, code, a part of the error's message
    (modern("tools/list"), fields("tools/call"), 400, -32020, "Mcp-Method is 'tools/call'"),
    (modern("tools/list"), {"mcp-protocol-version": MODERN}, 400, -32020, "Mcp-Method is missing"),
    (modern("tools/list"), fields("tools/list", "2025-11-25"), 400, -32020, "MCP-Protocol-Version"),
    (modern("tools/list"), {"mcp-method": "tools/list"}, 400, -32020, "MCP-Protocol-Version is missing"),
    (modern("tools/list", "1900-01-01"), fields("tools/list", "1900-01-01"), 400, -32022, "Unsupported"),
    (legacy("tools/list"), {"mcp-protocol-version": "1900-01-01"}, 400, -32022, "Unsupported"),
    (legacy("tools/list"), fields("tools/list"), 400, -32602, "params._meta must have"),
    (CALL, fields("tools/call"), 400, -32020, "Mcp-Name is missing"),
    (CALL, fields("tools/call", mcp_name="delete_lamp"), 400, -32020, "Mcp-Name is 'delete_lamp'"),
    (CALL, fields("tools/call", mcp_name="=?base64?!!?="), 400, -32020, "Mcp-Name"),
    (modern("ping"), fields("ping"), 404, -32601, "Method not found: ping"),
    (modern("tools/sing"), fields("tools/sing"), 404, -32601, "Method not found"),
    (modern("tools/call", name="sing"), fields("tools/call", mcp_name="sing"), 400, -32602, "Unknown tool: sing"),
    (modern("tools/call", name=1), fields("tools/call", mcp_name="1"), 400, -32020, "Mcp-Name"),
    (legacy("tools/sing"), {}, 200, -32601, "Method not found"),
    (legacy("tools/call", name="secret"), {}, 200, -32602, "Unknown tool: secret"),
    (legacy("tools/call", name=1), {}, 200, -32602, "params.name must be a string"),
    (legacy("tools/call", name="list_lamps", arguments=[1]), {}, 200, -32602, "must be an object"),
    (legacy("resources/read", uri="http://testserver/api/secret"), {}, 200, -32002, "Resource not found"),
    (legacy("prompts/get", name="sing"), {}, 200, -32602, "Unknown prompt: sing"),
    (legacy("prompts/get", name="praise", arguments={}), {}, 200, -32602, "lamp is missing"),
    (legacy("prompts/get", name="praise", arguments={"lamp": 1}), {}, 200, -32602, "lamp is not text"),
    ([legacy("ping")], {}, 400, -32600, "one JSON-RPC 2.0 message"),
    ({"id": 1, "method": "ping"}, {}, 400, -32600, "one JSON-RPC 2.0 message"),
    ({"jsonrpc": "2.0", "id": 1}, {}, 400, -32600, "must have a method"),
    ({"jsonrpc": "2.0", "id": None, "method": "ping"}, {}, 400, -32600, "The id"),
    ({"jsonrpc": "2.0", "id": True, "method": "ping"}, {}, 400, -32600, "The id"),
    ({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": []}, {}, 400, -32600, "params must be an object"),
]  # fmt: skip


@rows("message, headers, status, code, said", REFUSED)
def test_what_is_wrong_with_a_message_is_said_by_its_code(message, headers, status, code, said, shop):
    response = send(shop, message, headers)
    error = response.json["error"]
    assert (response.status, error["code"]) == (status, code)
    assert said in error["message"]
    if code in (-32020, -32022, -32601):
        assert response.json["id"] == message["id"]


@rows(
    "body, headers, status",
    (b"{", {"content-type": "application/json"}, 400),
    (b'{"jsonrpc": "2.0", "id": 1, "method": "ping"}', {"content-type": "text/plain"}, 415),
    (b'{"jsonrpc": "2.0", "id": 1, "method": "ping"}', {}, 415),
    (json.dumps({"jsonrpc": "2.0", "id": 3, "result": {}}).encode(), {"content-type": "application/json"}, 400),
)
def test_a_body_that_is_no_request(body, headers, status, shop):
    assert shop.post("/mcp", body=body, headers=headers).status == status


@rows("method", ["get", "delete"])
def test_there_are_no_streams_and_sessions_to_open_and_to_end(method, shop):
    response = getattr(shop, method)("/mcp")
    assert (response.status, response.headers["allow"]) == (405, "OPTIONS, POST")


@rows("name", ["show_lamp", "=?base64?c2hvd19sYW1w?="])
def test_a_name_in_a_header_may_be_encoded(name, shop):
    assert send(shop, CALL, fields("tools/call", mcp_name=name)).json["result"]["structuredContent"]["name"] == "Globe"


def test_results_of_older_revisions_are_objects(shop):
    params = {"name": "list_lamps", "arguments": {}}
    old = send(shop, legacy("tools/call", **params)).json["result"]
    new = send(shop, modern("tools/call", **params), fields("tools/call", mcp_name="list_lamps")).json["result"]
    assert "structuredContent" not in old
    assert json.loads(old["content"][0]["text"]) == new["structuredContent"] == [{"name": "Globe", "price": 40}]
    [tool] = [each for each in send(shop, legacy("tools/list")).json["result"]["tools"] if each["name"] == "list_lamps"]
    assert "outputSchema" not in tool
