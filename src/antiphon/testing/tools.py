"""Calls to an application's tools, like those of a Model Context Protocol client: ``client.tools.call(...)``."""

import json
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Generic, NamedTuple, Self, TypeAlias, TypeVar

from antiphon.app.application import App
from antiphon.explanations import explained
from antiphon.features.tools.feature import features_of
from antiphon.features.tools.protocol import META, MODERN
from antiphon.features.tools.results import CalledTool
from antiphon.testing.call import Call
from antiphon.testing.responses import ClientResponse

Result = TypeVar("Result")
Listed = TypeVar("Listed")


class ToolResult(NamedTuple):
    """The result of a tool: ``text``, which the model reads, and ``data``, the structured content or None.
    Provisional.
    """

    text: str
    data: Any
    is_error: bool
    """True for an error that tells the model what to change."""
    content: list[dict[str, Any]]
    """The content blocks of the result, as sent."""
    response: ClientResponse
    progress: list[dict[str, Any]]
    """The progress that was reported: "progress", and "total" and "message" if the tool gave them."""
    logged: list[dict[str, Any]]
    """The log messages, with "level" and "data"."""


_Told: TypeAlias = list[dict[str, Any]]


class ClientTools(Generic[Result, Listed]):
    """The tools of the application under test. With an ``AsyncClient``, calls are awaited. Provisional.

    Calls are sent with the client's header fields and cookies, so the listed tools depend on who is logged in.
    """

    def __init__(
        self,
        path: str,
        send: Callable[[str, Mapping[str, str], object], Call],
        run: Callable[[Coroutine[Any, Any, Any]], Any],
        reply: Callable[[Mapping[str, Any]], object] | None = None,
    ) -> None:
        self._path = path
        self._send = send
        self._run = run
        self._count = 0
        self._reply = reply

    def when_asked(self, reply: Callable[[Mapping[str, Any]], object]) -> Self:
        """Return these tools with a function that replies to questions, as the client's user and model do.

        It receives a question with its "method" and "params". It returns True for agreement, None to decline, the
        entered values as a mapping, or a result in the protocol's form for sampling and roots. Without such a function,
        the client declares that it can't be asked: ``client.tools.when_asked(lambda question: True).call("pay")``.
        """
        return type(self)(self._path, self._send, self._run, reply)

    def call(self, tool: str, /, **arguments: object) -> Result:
        """Call a tool. Raises AssertionError, with the response, for an unknown tool or a missing login."""
        params = {"name": tool, "arguments": arguments}
        return self._run(self._call(params))  # type: ignore[no-any-return]  # an Answer, or an awaitable of one

    def list(self) -> Listed:
        """Return the listed tools by name, as clients see them."""
        return self._run(self._list("tools", "name"))  # type: ignore[no-any-return]

    def prompts(self) -> Listed:
        """Return the prompts by name, as clients see them."""
        return self._run(self._list("prompts", "name"))  # type: ignore[no-any-return]

    def resources(self) -> Listed:
        """Return the resources by URI, as clients see them, without templates."""
        return self._run(self._list("resources", "uri"))  # type: ignore[no-any-return]

    def prompt(self, name: str, /, **arguments: str) -> Any:
        """Return the messages of a prompt. Raises the same error as ``call``."""
        return self._run(self._member("prompts/get", {"name": name, "arguments": arguments}, "messages"))

    def read(self, uri: str) -> Any:
        """Return the contents of a resource. Raises the same error as ``call``."""
        return self._run(self._member("resources/read", {"uri": uri}, "contents"))

    async def _call(self, params: Mapping[str, Any]) -> ToolResult:
        response, found, told = await self._result("tools/call", params)
        reports = [[each["params"] for each in told if each["method"] == f"notifications/{kind}"] for kind in _REPORTS]
        return ToolResult(*CalledTool.of(found), response, *reports)

    async def _list(self, kind: str, key: str) -> dict[str, dict[str, Any]]:
        return {each[key]: each for each in await self._member(f"{kind}/list", {}, kind)}

    async def _member(self, method: str, params: Mapping[str, Any], name: str) -> Any:
        return (await self._result(method, params))[1][name]

    async def _result(self, method: str, params: Mapping[str, Any]) -> tuple[ClientResponse, dict[str, Any], _Told]:
        """Return the response, the result, and the notifications before it, after replying to all questions."""
        told: _Told = []
        while True:
            response, messages = await self._sent(method, params)
            last = messages[-1] if messages else {}
            if "result" not in last:
                raise AssertionError(f"no result: {response.status} {response.text}")
            told += messages[:-1]
            result: dict[str, Any] = last["result"]
            if result.get("resultType") != "input_required":
                return response, result, told
            replies = {key: self._reply_to(question) for key, question in result["inputRequests"].items()}
            params = {**params, "requestState": result["requestState"], "inputResponses": replies}

    async def _sent(self, method: str, params: Mapping[str, Any]) -> tuple[ClientResponse, _Told]:
        self._count += 1
        able: dict[str, Any] = {} if self._reply is None else {"elicitation": {}, "sampling": {}, "roots": {}}
        meta = {f"{META}protocolVersion": MODERN, f"{META}clientCapabilities": able, f"{META}logLevel": "debug"}
        params = {**params, "_meta": {**meta, "progressToken": self._count}}
        message = {"jsonrpc": "2.0", "id": self._count, "method": method, "params": params}
        fields = {
            "accept": "application/json, text/event-stream", "mcp-protocol-version": MODERN, "mcp-method": method,
        }  # fmt: skip
        if (name := params.get("name", params.get("uri"))) is not None:
            fields["mcp-name"] = name
        response = await self._send(self._path, fields, message).respond()
        events = [line[6:] for line in response.text.splitlines() if line.startswith("data: {")] or [response.text]
        try:
            return response, [json.loads(each) for each in events]
        except ValueError:
            return response, []

    def _reply_to(self, question: Mapping[str, Any]) -> Mapping[str, Any]:
        said = None if self._reply is None else self._reply(question)
        if question["method"] != "elicitation/create" and isinstance(said, Mapping):
            return said
        if said is None or said is False:
            return {"action": "decline"}
        return {"action": "accept", "content": said if isinstance(said, Mapping) else {}}


_REPORTS = ("progress", "message")


def path_of(app: object) -> str:
    """Return the path of an application's ``Tools``. Raises RuntimeError for an application without them."""
    for feature in features_of(app) if isinstance(app, App) else ():
        return feature.path
    raise explained("missing-feature", "this application serves no tools: app.use(Tools(api))", RuntimeError)
