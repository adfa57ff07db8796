from pathlib import Path
from secrets import token_hex

from django import forms
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpResponse, HttpResponseForbidden, JsonResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_POST, require_safe

from .tracker import Priority, State, Tracker

settings.configure(
    SECRET_KEY=token_hex(),
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
    SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
    TEMPLATES=[
        {"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [Path(__file__).parent / "templates"]}
    ],
)
from ninja import NinjaAPI, Query, Schema  # noqa: E402 - it reads the settings
from ninja.errors import HttpError  # noqa: E402
from ninja.security import APIKeyCookie  # noqa: E402

tracker = Tracker()
api = NinjaAPI(title="Tracker")


class Login(forms.Form):
    name = forms.CharField()
    password = forms.CharField()


class Filter(Schema):
    state: State = "open"
    limit: int = 20


class NewTicket(Schema):
    title: str
    priority: Priority = "normal"


class Ticket(NewTicket):
    number: int
    author: str
    state: State


class SessionUser(APIKeyCookie):
    param_name = settings.SESSION_COOKIE_NAME

    def authenticate(self, request, key):
        return request.session.get("name")


@ensure_csrf_cookie
@require_safe
def board(request):
    return render(request, "board.html", {"tickets": tracker.list(), "user": request.session.get("name")})


@require_POST
def log_in(request):
    form = Login(request.POST)
    if not form.is_valid():
        return JsonResponse(form.errors, status=422)
    user = tracker.check(**form.cleaned_data)
    if user is None:
        return HttpResponseForbidden("The name or the password is wrong.")
    request.session["name"] = user.name
    return HttpResponse(status=204)


@api.get("/tickets", response=list[Ticket])
def list_tickets(request, wanted: Query[Filter]):
    return tracker.list(wanted.state, wanted.limit)


@api.post("/tickets", auth=SessionUser(), response={201: Ticket})
def add_ticket(request, new: NewTicket, response: HttpResponse):
    ticket = tracker.add(new.title, new.priority, request.auth)
    response["location"] = f"/tickets/{ticket.number}"
    return 201, ticket


@api.get("/tickets/{int:number}", response=Ticket)
def show_ticket(request, number: int):
    ticket = tracker.find(number)
    if ticket is None:
        raise HttpError(404, f"There is no ticket {number}.")
    return ticket


urlpatterns = [path("", board), path("login", log_in), path("", api.urls)]
app = get_asgi_application()
