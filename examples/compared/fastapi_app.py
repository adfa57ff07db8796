from pathlib import Path
from secrets import token_hex
from typing import Annotated

from fastapi import Depends, FastAPI, Form, HTTPException, Request, Response
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates
from starlette.middleware.sessions import SessionMiddleware

from .tracker import NewTicket, State, Ticket, Tracker

tracker = Tracker()
app = FastAPI(title="Tracker")
app.add_middleware(SessionMiddleware, secret_key=token_hex())
templates = Jinja2Templates(Path(__file__).parent / "templates")


def user_name(request: Request) -> str:
    name = request.session.get("name")
    if name is None:
        raise HTTPException(401)
    return name


@app.get("/", response_class=HTMLResponse)
def board(request: Request):
    values = {"tickets": tracker.list(), "user": request.session.get("name")}
    return templates.TemplateResponse(request, "board.html", values)


@app.post("/login", status_code=204)
def log_in(request: Request, name: Annotated[str, Form()], password: Annotated[str, Form()]) -> None:
    user = tracker.check(name, password)
    if user is None:
        raise HTTPException(403, "The name or the password is wrong.")
    request.session["name"] = user.name


@app.get("/tickets")
def list_tickets(state: State = "open", limit: int = 20) -> list[Ticket]:
    return tracker.list(state, limit)


@app.post("/tickets", status_code=201)
def add_ticket(new: NewTicket, name: Annotated[str, Depends(user_name)], response: Response) -> Ticket:
    ticket = tracker.add(new.title, new.priority, name)
    response.headers["location"] = f"/tickets/{ticket.number}"
    return ticket


@app.get("/tickets/{number}")
def show_ticket(number: int) -> Ticket:
    ticket = tracker.find(number)
    if ticket is None:
        raise HTTPException(404, f"There is no ticket {number}.")
    return ticket
