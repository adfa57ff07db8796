"""The contract's application: each kind of handler, in both colours. It is made of public names only.

``app`` has sync middleware, so that its ``def`` handlers never need an event loop; what is below ``/woven`` has
middleware of both colours.
"""

from collections.abc import Awaitable

from antiphon import App, Request, Response
from antiphon.handler.contract import Steps
from tests.contract.application import answers, bodies, errors, heads, processes, streams, woven


class ContractApp(App):
    """An application that leaves what is below ``/woven`` to a second one."""

    def handle(self, request: Request) -> Steps[Response]:
        """The steps that answer a request."""
        return woven.app.handle(request) if _is_woven(request) else super().handle(request)

    def answer(self, request: Request) -> Awaitable[Response]:
        """The response, awaited on an event loop."""
        return woven.app.answer(request) if _is_woven(request) else super().answer(request)


def _is_woven(request: Request) -> bool:
    return request.path.startswith("/woven/")


app = ContractApp()

for part in (answers, bodies, errors, heads, processes, streams):
    part.register(app)

__all__ = ["app"]
