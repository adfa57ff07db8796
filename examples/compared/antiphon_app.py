from dataclasses import dataclass

from antiphon import App, Request, Response, abort
from antiphon.features import (
    MemoryStore,
    OpenAPI,
    Page,
    RateLimit,
    SessionLogin,
    Sessions,
    Templates,
    Users,
    login,
    login_required,
)

from .tracker import NewTicket, State, Ticket, Tracker

tracker = Tracker()
app = App()
app.use(Sessions(MemoryStore()))
app.use(Users(SessionLogin(tracker.user, key=lambda user: user.name)))
app.use(Templates("templates"))
app.use(OpenAPI("Tracker"))


@dataclass
class Login:
    name: str
    password: str


@dataclass
class Filter:
    state: State = "open"
    limit: int = 20


@app.get("/")
def board(request: Request) -> Page:
    return Page("board.html", tickets=tracker.list(), user=request.user and request.user.name)


@app.post("/login", before=RateLimit("5/minute"))
def log_in(request: Request) -> None:
    sent = request.form_as(Login)
    user = tracker.check(sent.name, sent.password)
    if user is None:
        abort(403, "The name or the password is wrong.")
    login(request, user)


@app.get("/tickets")
def list_tickets(request: Request) -> list[Ticket]:
    wanted = request.args_as(Filter)
    return tracker.list(wanted.state, wanted.limit)


@app.post("/tickets", before=login_required)
def add_ticket(request: Request) -> Response:
    new = request.json_as(NewTicket)
    ticket = tracker.add(new.title, new.priority, request.user.name)
    return Response.json(ticket, 201, {"location": f"/tickets/{ticket.number}"})


@app.get("/tickets/<int:number>")
def show_ticket(request: Request, number: int) -> Ticket:
    return tracker.find(number) or abort(404, f"There is no ticket {number}.")
