"""An application with an MCP server in it: a tool that streams, and one that knows what middleware has set."""

from contextvars import ContextVar

from mcp.server import MCPServer
from mcp.server.mcpserver import Context

from antiphon import App, Request

mcp = MCPServer("shop")
CALLER: ContextVar[str] = ContextVar("caller")


@mcp.tool()
async def total(prices: list[float], context: Context) -> float:
    """Return the sum of prices, and report progress on the way."""
    for number, _ in enumerate(prices, 1):
        await context.report_progress(number, len(prices))
    return sum(prices)


@mcp.tool()
def caller() -> str:
    """Return the name of who calls."""
    return CALLER.get()


app = App()
app.mount("/tools", mcp.streamable_http_app())


@app.middleware
def set_caller(request: Request):
    CALLER.set(request.args.get("name", "nobody"))
    yield


@app.get("/")
def index(request: Request):
    return "Hello."
