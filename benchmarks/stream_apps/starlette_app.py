"""The streams of Starlette."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

from .lines import async_lines, lines


async def stream(request: Request) -> StreamingResponse:  # noqa: ARG001 - as handlers are
    return StreamingResponse(lines(), media_type="text/csv")


async def async_stream(request: Request) -> StreamingResponse:  # noqa: ARG001 - as handlers are
    return StreamingResponse(async_lines(), media_type="text/csv")


app = Starlette(routes=[Route("/def", stream), Route("/async", async_stream)])
