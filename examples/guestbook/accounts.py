"""Signing up, logging in and out."""

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from antiphon import Blueprint, Request, Response
from antiphon.features import Field, Form, Page, RateLimit, lazy_gettext, login, logout
from examples.guestbook.book import BOOK, User

accounts = Blueprint("accounts")
NAME, PASSWORD = lazy_gettext("Name"), lazy_gettext("Password")
EITHER_WAY = {"dir": "auto"}  # people may write from left to right, or from right to left


@dataclass
class Login:
    name: Annotated[str, Meta(max_length=40), Field(label=NAME, autocomplete="username", attributes=EITHER_WAY)]
    password: Annotated[
        str, Meta(max_length=200), Field(label=PASSWORD, widget="password", autocomplete="current-password")
    ]


@dataclass
class Signup:
    name: Annotated[
        str,
        Meta(min_length=2, max_length=40),
        Field(label=NAME, autocomplete="username", help=lazy_gettext("Everybody sees it."), attributes=EITHER_WAY),
    ]
    password: Annotated[
        str,
        Meta(min_length=10, max_length=200),
        Field(
            label=PASSWORD, widget="password", autocomplete="new-password", help=lazy_gettext("Ten characters or more.")
        ),
    ]

    def check(self, form: "Form[Signup]") -> None:
        if not self.name.isprintable():  # else one name could look like another
            form.add_error("name", lazy_gettext("Please use characters that can be seen."))


@accounts.get("/login")
@accounts.post("/login", before=RateLimit("10/minute"))
def log_in(request: Request):
    form = Form(Login, request, submit=lazy_gettext("Log in"))
    if form.validate():
        if user := request[BOOK].user_with(form.data.name, form.data.password):
            return welcome(request, user)
        form.add_error(None, lazy_gettext("The name or the password is wrong."))
    return Page("login.html", form=form), form.status


@accounts.get("/signup")
@accounts.post("/signup", before=RateLimit("10/minute"))
def sign_up(request: Request):
    form = Form(Signup, request, submit=lazy_gettext("Sign up"))
    if form.validate(Signup.check):
        if user := request[BOOK].add_user(form.data.name, form.data.password):
            return welcome(request, user)
        form.add_error("name", lazy_gettext("Somebody has this name already."))
    return Page("signup.html", form=form), form.status


def welcome(request: Request, user: User) -> Response:
    login(request, user)
    request.flash(lazy_gettext("Welcome, {name}!", name=user.name))
    return Response.redirect(request.args.get("next"), otherwise=request.url_for("entries.index"))


@accounts.post("/logout")
def log_out(request: Request):
    logout(request)
    request.flash(lazy_gettext("Goodbye, and come back."))
    return Response.redirect(request.url_for("entries.index"))
