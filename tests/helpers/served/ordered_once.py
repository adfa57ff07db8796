"""A shop whose orders take a moment, and whose form is carried out once, for a browser."""

import time
from dataclasses import dataclass

from antiphon import App, Request, Response
from antiphon.features import Form, IdempotentWrites, MemoryStore, Sessions

app = App(store=MemoryStore())
app.use(Sessions())
app.use(IdempotentWrites())
orders = []


@dataclass
class Order:
    street: str


@app.get("/order")
@app.post("/order", idempotent=True)
def order(request: Request):
    form = Form(Order, request)
    if form.validate():
        time.sleep(0.5)
        orders.append(form.data.street)
        request.session["street"] = form.data.street
        return Response.redirect(f"/orders/{len(orders)}")
    return form, form.status


@app.get("/orders/<int:number>")
def show(request: Request, number: int):
    return Response.html(f"<p>{number} of {len(orders)}: {orders[number - 1]}</p>")
