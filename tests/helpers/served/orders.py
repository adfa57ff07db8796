"""Orders of customers who have logged in, in the store that ``STORE`` names: a URL, or the path of a file.

An order is counted in the customer's session, and is a line in ``ORDERS``: it happens once, however often it is sent.
"""

import os

from antiphon import App
from antiphon.features import IdempotentWrites, SessionLogin, Sessions, Users, login
from tests.helpers.served.payments import store_at


def make_app(store):
    app = App()
    app.use(Sessions(store))
    app.use(Users(SessionLogin(str, key=str)))
    app.use(IdempotentWrites(store))

    @app.post("/login")
    def log_in(request) -> None:
        login(request, request.text)

    @app.post("/orders", idempotent=True)
    def order(request):
        number = request.session["orders"] = request.session.get("orders", 0) + 1
        with open(os.environ["ORDERS"], "a") as orders:  # O_APPEND
            orders.write(f"{request.text}\n")
        return {"customer": request.user, "number": number, "worker": os.getpid()}

    @app.get("/orders")
    def tell(request):
        return {"customer": request.user, "orders": request.session.get("orders")}

    return app


def served():
    return make_app(store_at(os.environ["STORE"]))
