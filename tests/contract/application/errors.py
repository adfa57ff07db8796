"""Handlers that fail, with errors that are meant for the client and with others, and what handles them."""

from antiphon import App, HTTPError, Request
from tests.contract.application.twins import twins

SECRET = "the words of this failure are for the log alone"


class OutOfStockError(Exception):
    """An error for which the application has a handler."""


def register(app: App) -> None:
    """Register the handlers of this module."""

    @twins(app, "/teapot")
    def teapot(_: Request) -> str:
        raise HTTPError("no coffee here", status=418, headers={"x-tea": "green"}, pots=2)

    @twins(app, "/fails")
    def fails(_: Request) -> str:
        raise RuntimeError(SECRET)

    @twins(app, "/forgets")
    def forgets(_: Request):  # type: ignore[no-untyped-def]  # that is the point
        return None

    @twins(app, "/out-of-stock")
    def out_of_stock(_: Request) -> str:
        raise OutOfStockError("tea")

    @app.errorhandler(OutOfStockError)
    def on_out_of_stock(_: Request, error: Exception) -> tuple[dict[str, str], int]:
        return {"out of stock": str(error)}, 409
