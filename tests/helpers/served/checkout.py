"""A shop with sessions and payments that happen once, both in the file that ``STORE`` names.

Each payment is a line in the file ``PAYMENTS``. Each process has two connections to the store.
"""

import os

from antiphon import App
from antiphon.features import IdempotentWrites, Sessions, SQLiteStore
from tests.helpers.two_connections import HeldClock

clock = HeldClock()
store = SQLiteStore(os.environ["STORE"], clock=clock)
app = App()
app.use(Sessions(store))
app.use(IdempotentWrites(store))


@app.on_startup
def use_at_once():
    clock.use_at_once(store, store)


@app.get("/visit/<name>")
def visit(request, name):
    request.session[name] = True
    return {"pid": os.getpid(), "visits": sorted(request.session)}


@app.post("/pay", idempotent=True)
def pay(request):
    with open(os.environ["PAYMENTS"], "a") as payments:  # O_APPEND
        payments.write(f"{os.getpid()}\n")
    return {"paid by": os.getpid()}
