"""Logins in sessions: in the Valkey that ``STORE`` names, else in cookies that ``KEYS`` sign, else in memory."""

import os
from html import escape

from antiphon import App, Request, Response
from antiphon.features import (
    CookieStore,
    MemoryStore,
    SessionLogin,
    Sessions,
    Users,
    ValkeyStore,
    login,
    login_required,
    logout,
)

app = App(secret_keys=os.environ.get("KEYS", "k" * 16).split())


def store():
    if "STORE" in os.environ:
        return ValkeyStore(os.environ["STORE"])
    return CookieStore(app.secret_keys) if "KEYS" in os.environ else MemoryStore()


app.use(Sessions(store()))
app.use(Users(SessionLogin(str, key=str), login="login_page"))


@app.get("/account", before=login_required)
async def account(request: Request):
    visits = request.session["visits"] = request.session.get("visits", 0) + 1
    return Response.html(
        f"<!doctype html><p>Hello, {escape(request.user)}. Visit {visits}."
        '<form method=post action=/logout><input name=scope value="everywhere"><button>Log out</button></form>'
    )


@app.get("/login")
def login_page(request: Request):
    return Response.html("<!doctype html><form method=post><input name=name value=Ada><button>Log in</button></form>")


@app.post("/login")
def log_in(request: Request):
    login(request, request.form["name"])
    return Response.redirect(request.args.get("next"), otherwise="/account")


@app.post("/logout")
async def log_out(request: Request):
    logout(request, everywhere=request.form.get("scope") == "everywhere")
    return Response.redirect("/login")


@app.get("/link")
def link(request: Request):
    return request.url_for("download", name="song", _expires=600)


@app.get("/files/<name>", signed_url=True)
def download(request: Request, name: str):
    return name
