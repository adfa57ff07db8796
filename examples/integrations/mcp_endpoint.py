"""A server for the Model Context Protocol as a view for any framework."""

from collections.abc import Callable
from typing import Any, Literal

from mcp.server import MCPServer

from antiphon import App, Request, Response, aget_response, view


def mcp_view(server: MCPServer, path: str, interface: Literal["wsgi", "asgi"] | None = None) -> Callable[..., Any]:
    """Return a view that answers with a server's tools. Register it at ``path``, for POST."""
    app = App(cross_site_writes=True)  # agents are not browsers
    app.mount("", server.streamable_http_app(streamable_http_path=path, json_response=True, stateless_http=True))

    async def answer(request: Request) -> Response:
        return await aget_response(app, request)

    return view(interface=interface)(answer)
