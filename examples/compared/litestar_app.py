from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Annotated

from litestar import Litestar, Request, Response, get, post
from litestar.config.csrf import CSRFConfig
from litestar.connection import ASGIConnection
from litestar.contrib.jinja import JinjaTemplateEngine
from litestar.enums import RequestEncodingType
from litestar.exceptions import NotFoundException, PermissionDeniedException
from litestar.middleware.rate_limit import RateLimitConfig
from litestar.middleware.session.server_side import ServerSideSessionConfig
from litestar.params import Body, Parameter
from litestar.response import Template
from litestar.security.session_auth import SessionAuth
from litestar.template.config import TemplateConfig

from .tracker import NewTicket, State, Ticket, Tracker, User

tracker = Tracker()


@dataclass
class Login:
    name: str
    password: str


async def find_user(session: dict[str, str], connection: ASGIConnection) -> User | None:
    return tracker.user(session.get("name", ""))


@get("/", exclude_from_auth=True)
async def board(request: Request) -> Template:
    return Template("board.html", context={"tickets": tracker.list(), "user": request.session.get("name")})


@post(
    "/login", exclude_from_auth=True, middleware=[RateLimitConfig(rate_limit=("minute", 5)).middleware], status_code=204
)
async def log_in(data: Annotated[Login, Body(media_type=RequestEncodingType.URL_ENCODED)], request: Request) -> None:
    user = tracker.check(data.name, data.password)
    if user is None:
        raise PermissionDeniedException("The name or the password is wrong.")
    request.set_session({"name": user.name})


@get("/tickets", exclude_from_auth=True)
async def list_tickets(shown: Annotated[State, Parameter(query="state")] = "open", limit: int = 20) -> list[Ticket]:
    return tracker.list(shown, limit)


@post("/tickets")
async def add_ticket(data: NewTicket, request: Request) -> Response[Ticket]:
    ticket = tracker.add(data.title, data.priority, request.user.name)
    return Response(ticket, headers={"location": f"/tickets/{ticket.number}"})


@get("/tickets/{number:int}", exclude_from_auth=True)
async def show_ticket(number: int) -> Ticket:
    ticket = tracker.find(number)
    if ticket is None:
        raise NotFoundException(f"There is no ticket {number}.")
    return ticket


sessions = SessionAuth[User, object](
    retrieve_user_handler=find_user, session_backend_config=ServerSideSessionConfig(), exclude=["/schema"]
)
app = Litestar(
    [board, log_in, list_tickets, add_ticket, show_ticket],
    on_app_init=[sessions.on_app_init],
    csrf_config=CSRFConfig(secret=token_hex()),
    template_config=TemplateConfig(directory=Path(__file__).parent / "templates", engine=JinjaTemplateEngine),
)
