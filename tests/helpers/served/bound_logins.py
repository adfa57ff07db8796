"""Logins in sessions bound to devices, with proofs for ``BOUND`` seconds, in the store that ``STORE`` names."""

import os
from dataclasses import dataclass

from antiphon import App, Response
from antiphon.features import SessionLogin, Sessions, Users, bound_required, login, login_required, logout
from tests.helpers.stores import store_at


@dataclass
class User:
    id: str


app = App(store=store_at(os.environ["STORE"]))
app.use(Sessions(bound=float(os.environ["BOUND"])))
app.use(Users(SessionLogin(User), login="ask"))


@app.get("/login")
def ask(request):
    return Response.html('<!doctype html><title>Login</title><form method="post"><button>Log in</button></form>')


@app.post("/login")
def log_in(request):
    login(request, User("ada"))
    return Response.redirect("/account", 303)


@app.get("/callback")
def log_in_elsewhere(request):
    """A link of another site that logs in, as an identity provider's."""
    login(request, User("ada"))
    return Response.redirect("/account", 303)


@app.post("/logout")
def log_out(request):
    logout(request, everywhere="everywhere" in request.args)
    return "Goodbye."


@app.get("/account", before=login_required)
def account(request):
    return Response.html(f"<!doctype html><title>Account</title><p>Hello, {request.user.id}.</p>")


@app.get("/vault", before=[login_required, bound_required])
def vault(request):
    return "gold"


@app.get("/pid")
def pid(request):
    return str(os.getpid())
