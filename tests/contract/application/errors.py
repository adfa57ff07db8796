"""Handlers that fail, with errors meant for the client and with others, and an error handler."""

from antiphon import App, HTTPError, Request
from tests.contract.application.registration import def_and_async

SECRET = "the words of this failure are for the log alone"


class OutOfStockError(Exception):
    """An error for which the application has a handler."""


def register(app: App) -> None:
    @def_and_async(app, "/teapot")
    def teapot(_: Request) -> str:
        raise HTTPError(418, "no coffee here", headers={"x-tea": "green"}, members={"pots": 2})

    @def_and_async(app, "/fails")
    def fails(_: Request) -> str:
        raise RuntimeError(SECRET)

    @def_and_async(app, "/forgets")
    def forgets(_: Request):  # type: ignore[no-untyped-def]  # that is the point
        return None

    @def_and_async(app, "/out-of-stock")
    def out_of_stock(_: Request) -> str:
        raise OutOfStockError("tea")

    @app.errorhandler(OutOfStockError)
    def on_out_of_stock(_: Request, error: Exception) -> tuple[dict[str, str], int]:
        return {"out of stock": str(error)}, 409
