"""Live orders in the database at ``DATABASE``, and notices of their changes in the store at ``STORE``.

Who logs in sees them also at ``/mine``. The policy allows only scripts with the nonce.
"""

import os
from contextlib import suppress

from jinja2 import DictLoader
from sqlalchemy import create_engine, select
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from antiphon import App, Response
from antiphon.features import (
    BlockScript,
    ContentSecurityPolicy,
    Live,
    Page,
    SecurityHeaders,
    SessionLogin,
    Sessions,
    Templates,
    Users,
    csp_nonce,
    login,
    login_required,
    logout,
)
from tests.helpers.stores import store_at

URL = os.environ["DATABASE"]
engine = create_engine(URL, **({"connect_args": {"timeout": 30}} if URL.startswith("sqlite") else {}))


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


PAGE = """\
<!doctype html><html lang="en"><title>Orders</title>{{ block_script(nonce=nonce) }}
<h1>Orders</h1><input id="search" aria-label="Search">
<main data-block="orders" data-live>{% block orders %}
<ul>{% for order in orders %}<li id="o{{ order.id }}">{{ order.name }}</li>{% endfor %}</ul>
<form method="post" data-block="orders"><input name="name" aria-label="Name"><button>Order</button></form>
{% endblock %}</main></html>"""
POLICY = ContentSecurityPolicy(default_src="'none'", script_src="'nonce'", connect_src="'self'")

app = App(store=store_at(os.environ["STORE"]))
app.use(Live(listen=os.environ.get("LISTEN")))
app.use(BlockScript())
app.use(SecurityHeaders(content_security_policy=POLICY))
app.template_context(nonce=csp_nonce)
app.use(Sessions())
app.use(Users(SessionLogin(lambda key: key, key=str)))
app.use(Templates(DictLoader({"orders.html": PAGE})))


def page(request):
    with Session(engine) as session:
        return Page("orders.html", orders=session.scalars(select(Order).order_by(Order.id)).all())


@app.get("/", live="orders")
def orders(request):
    return page(request)


@app.get("/mine", live="orders", before=login_required)
async def mine(request):
    return page(request)


@app.post("/")
@app.post("/mine")
def order(request):
    with Session(engine) as session, session.begin():
        session.add(Order(name=request.form["name"]))
    return page(request)


@app.post("/login")
def log_in(request):
    login(request, request.form["name"])
    return Response.redirect("/mine")


@app.post("/logout")
def log_out(request):
    logout(request)
    return Response.redirect("/")


@app.on_startup
def begin():
    with suppress(DatabaseError):  # another worker has created them
        Base.metadata.create_all(engine)
