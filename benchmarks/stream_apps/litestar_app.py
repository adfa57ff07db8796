"""The streams of Litestar."""

from litestar import Litestar, get
from litestar.response import Stream

from .lines import async_lines, lines


@get("/def", sync_to_thread=False)
def stream() -> Stream:
    return Stream(lines(), media_type="text/csv")


@get("/async")
async def async_stream() -> Stream:
    return Stream(async_lines(), media_type="text/csv")


app = Litestar([stream, async_stream])
