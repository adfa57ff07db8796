"""Calls to an application's tools, like those of a Model Context Protocol client: ``client.tools.call(...)``."""

import json
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Generic, NamedTuple, TypeVar

from antiphon.app.application import App
from antiphon.explanations import explained
from antiphon.features.tools.feature import features_of
from antiphon.features.tools.protocol import META, MODERN
from antiphon.testing.call import Call
from antiphon.testing.responses import ClientResponse

Result = TypeVar("Result")
Listed = TypeVar("Listed")


class ToolResult(NamedTuple):
    """The result of a tool: ``text``, which the model reads, and ``data``, the structured content or None."""

    text: str
    data: Any
    is_error: bool
    """True for an error that tells the model what to change."""
    content: list[dict[str, Any]]
    """The content blocks of the result, as sent."""
    response: ClientResponse


class ClientTools(Generic[Result, Listed]):
    """The tools of the application under test. With an ``AsyncClient``, calls are awaited.

    Calls are sent with the client's header fields and cookies, so the listed tools depend on who is logged in.
    """

    def __init__(
        self,
        path: str,
        send: Callable[[str, Mapping[str, str], object], Call],
        run: Callable[[Coroutine[Any, Any, Any]], Any],
    ) -> None:
        self._path = path
        self._send = send
        self._run = run
        self._count = 0

    def call(self, tool: str, /, **arguments: object) -> Result:
        """Call a tool. Raises AssertionError, with the response, for an unknown tool or a missing login."""
        params = {"name": tool, "arguments": arguments}
        return self._run(self._call(params))  # type: ignore[no-any-return]  # an Answer, or an awaitable of one

    def list(self) -> Listed:
        """Return the listed tools by name, as clients see them."""
        return self._run(self._list())  # type: ignore[no-any-return]

    async def _call(self, params: Mapping[str, Any]) -> ToolResult:
        response, found = await self._result("tools/call", params)
        content = found.get("content", [])
        text = "\n".join(each["text"] for each in content if each["type"] == "text")
        return ToolResult(text, found.get("structuredContent"), bool(found.get("isError")), content, response)

    async def _list(self) -> dict[str, dict[str, Any]]:
        _, found = await self._result("tools/list", {})
        return {each["name"]: each for each in found["tools"]}

    async def _result(self, method: str, params: Mapping[str, Any]) -> tuple[ClientResponse, dict[str, Any]]:
        self._count += 1
        meta = {f"{META}protocolVersion": MODERN, f"{META}clientCapabilities": {}}
        message = {"jsonrpc": "2.0", "id": self._count, "method": method, "params": {**params, "_meta": meta}}
        fields = {
            "accept": "application/json, text/event-stream", "mcp-protocol-version": MODERN, "mcp-method": method,
        }  # fmt: skip
        if "name" in params:
            fields["mcp-name"] = params["name"]
        response = await self._send(self._path, fields, message).respond()
        try:
            result = json.loads(response.body)
        except ValueError:
            result = None
        if not isinstance(result, dict) or "result" not in result:
            raise AssertionError(f"no result: {response.status} {response.text}")
        return response, result["result"]


def path_of(app: object) -> str:
    """Return the path of an application's ``Tools``. Raises RuntimeError for an application without them."""
    for feature in features_of(app) if isinstance(app, App) else ():
        return feature.path
    raise explained("missing-feature", RuntimeError("this application serves no tools: app.use(Tools(api))"))
