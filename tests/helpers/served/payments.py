"""Payments that happen once. ``STORE`` is a URL, or the path of a file; each payment is a line in ``PAYMENTS``.

A payment that was made waits for the file ``GO`` before it is answered.
"""

import os
import time

from antiphon import App
from antiphon.features import IdempotentWrites
from tests.helpers.stores import store_at

app = App()


def pay_into(app, store, **options):
    app.use(IdempotentWrites(store, **options))

    @app.post("/pay", idempotent=True)
    def pay(request):
        with open(os.environ["PAYMENTS"], "a") as payments:  # O_APPEND
            payments.write(f"{os.getpid()}\n")
        while not os.path.exists(os.environ["GO"]):
            time.sleep(0.01)
        return {"paid by": os.getpid()}


if "STORE" in os.environ:
    pay_into(app, store_at(os.environ["STORE"], timeout=30))


@app.get("/pid")
def pid(request):
    return {"pid": os.getpid()}
