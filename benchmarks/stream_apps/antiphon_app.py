"""The streams of Antiphon, over every interface, and through its cache."""

from antiphon import App, Request, Response
from antiphon.features import Cache

from .lines import async_lines, lines

app = App()


@app.get("/def")
def stream(request: Request) -> Response:  # noqa: ARG001 - as handlers are
    return Response.stream(lines(), content_type="text/csv; charset=utf-8")


@app.get("/async")
async def async_stream(request: Request) -> Response:  # noqa: ARG001 - as handlers are
    return Response.stream(async_lines(), content_type="text/csv; charset=utf-8")


cached = App()
cached.use(Cache(max_file_bytes=64 << 20))


@cached.get("/def")
def kept(request: Request) -> Response:  # noqa: ARG001 - as handlers are
    response = Response.stream(lines(), content_type="text/csv; charset=utf-8")
    response.cache_for(60, public=True)
    return response


@cached.get("/async")
async def async_kept(request: Request) -> Response:  # noqa: ARG001 - as handlers are
    response = Response.stream(async_lines(), content_type="text/csv; charset=utf-8")
    response.cache_for(60, public=True)
    return response
