"""The contract's application: each kind of handler, as ``def`` and as ``async def``. It is made of public names only.

``app`` has sync middleware, so that its ``def`` handlers never need an event loop; the handlers below ``/layers`` stand
inside sync and async middleware.
"""

from collections.abc import Awaitable

from antiphon import App, Limits, Request, Response
from antiphon.handler.contract import Steps
from tests.contract.application import answers, bodies, connections, errors, heads, middleware, processes, streams


class ContractApp(App):
    """An application that hands requests below ``/layers`` to a second one."""

    def _handle(self, request: Request) -> Steps[Response]:
        """The steps that answer a request."""
        return middleware.app._handle(request) if _is_below_layers(request) else super()._handle(request)

    def _respond(self, request: Request) -> Awaitable[Response]:
        """The response, awaited on an event loop."""
        return middleware.app._respond(request) if _is_below_layers(request) else super()._respond(request)


def _is_below_layers(request: Request) -> bool:
    return request.path.startswith("/layers/")


app = ContractApp()

bounded = App(limits=Limits(headers=8 << 10))
"""An application whose own limit is below those of all servers."""
bounded.get("/text")(lambda request: "text")
app.mount("/bounded", bounded)

for part in (answers, bodies, connections, errors, heads, processes, streams):
    part.register(app)

__all__ = ["app"]
