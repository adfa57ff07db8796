from dataclasses import dataclass
from secrets import token_hex

from flask import Flask, abort, render_template, request, session
from pydantic import TypeAdapter, ValidationError

from .tracker import NewTicket, State, Tracker

tracker = Tracker()
app = Flask(__name__)
app.secret_key = token_hex()
app.config["SESSION_COOKIE_SAMESITE"] = "Lax"


@dataclass
class Filter:
    state: State = "open"
    limit: int = 20


@app.errorhandler(ValidationError)
def show_errors(error):
    return {"errors": error.errors(include_url=False, include_input=False)}, 422


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
    wanted = TypeAdapter(Filter).validate_python(request.args.to_dict())
    return tracker.list(wanted.state, wanted.limit)


@app.post("/tickets")
def add_ticket():
    if "name" not in session:
        abort(401)
    new = TypeAdapter(NewTicket).validate_python(request.get_json())
    ticket = tracker.add(new.title, new.priority, session["name"])
    return vars(ticket), 201, {"location": f"/tickets/{ticket.number}"}


@app.get("/tickets/<int:number>")
def show_ticket(number):
    ticket = tracker.find(number)
    if ticket is None:
        abort(404, f"There is no ticket {number}.")
    return vars(ticket)
