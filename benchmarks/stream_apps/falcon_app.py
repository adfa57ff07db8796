"""The streams of Falcon: from `def` generators over WSGI, from `async def` generators over ASGI."""

import falcon
import falcon.asgi

from .lines import async_lines, lines


class Stream:
    """The resource over WSGI."""

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:  # noqa: ARG002 - as responders are
        response.content_type = "text/csv; charset=utf-8"
        response.stream = lines()


class AsyncStream:
    """The resource over ASGI."""

    async def on_get(
        self,
        request: falcon.asgi.Request,  # noqa: ARG002 - as responders are
        response: falcon.asgi.Response,
    ) -> None:
        response.content_type = "text/csv; charset=utf-8"
        response.stream = async_lines()


wsgi = falcon.App()
wsgi.add_route("/def", Stream())
asgi = falcon.asgi.App()
asgi.add_route("/async", AsyncStream())
