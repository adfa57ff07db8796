from secrets import token_hex
from typing import get_args

from flask import Flask, abort, render_template, request, session

from .tracker import Priority, State, Tracker

tracker = Tracker()
app = Flask(__name__)
app.secret_key = token_hex()
app.config["SESSION_COOKIE_SAMESITE"] = "Lax"


@app.get("/")
def board():
    return render_template("board.html", tickets=tracker.list(), user=session.get("name"))


@app.post("/login")
def log_in():
    user = tracker.check(request.form["name"], request.form["password"])
    if user is None:
        abort(403, "The name or the password is wrong.")
    session["name"] = user.name
    return "", 204


@app.get("/tickets")
def list_tickets():
    state = request.args.get("state", "open")
    if state not in get_args(State):
        abort(422, "state is open or closed.")
    try:
        limit = int(request.args.get("limit", 20))
    except ValueError:
        abort(422, "limit is a number.")
    return tracker.list(state, limit)


@app.post("/tickets")
def add_ticket():
    if "name" not in session:
        abort(401)
    new = request.get_json()
    if not isinstance(new, dict):
        abort(422, "A ticket is an object.")
    title, priority = new.get("title"), new.get("priority", "normal")
    if not isinstance(title, str):
        abort(422, "title is a text.")
    if priority not in get_args(Priority):
        abort(422, "priority is low, normal or high.")
    ticket = tracker.add(title, priority, session["name"])
    return vars(ticket), 201, {"location": f"/tickets/{ticket.number}"}


@app.get("/tickets/<int:number>")
def show_ticket(number):
    ticket = tracker.find(number)
    if ticket is None:
        abort(404, f"There is no ticket {number}.")
    return vars(ticket)
