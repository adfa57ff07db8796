import json
from functools import partial
from pathlib import Path
from secrets import token_hex
from typing import get_args

from django import forms
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import Http404, HttpResponse, HttpResponseForbidden, JsonResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_http_methods, require_POST, require_safe

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
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "DIRS": [Path(__file__).parent / "templates"],
        }
    ],
)
tracker = Tracker()
choices = partial(map, lambda name: (name, name))


class Login(forms.Form):
    name = forms.CharField()
    password = forms.CharField()


class Filter(forms.Form):
    state = forms.ChoiceField(choices=[*choices(get_args(State))], required=False)
    limit = forms.IntegerField(required=False)


class NewTicket(forms.Form):
    title = forms.CharField()
    priority = forms.ChoiceField(choices=[*choices(get_args(Priority))], required=False)


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


@require_http_methods(["GET", "HEAD", "POST"])
def tickets(request):
    return add_ticket(request) if request.method == "POST" else list_tickets(request)


def list_tickets(request):
    form = Filter(request.GET)
    if not form.is_valid():
        return JsonResponse(form.errors, status=422)
    found = tracker.list(form.cleaned_data["state"] or "open", form.cleaned_data["limit"] or 20)
    return JsonResponse([vars(ticket) for ticket in found], safe=False)


def add_ticket(request):
    if "name" not in request.session:
        return HttpResponse(status=401)
    try:
        sent = json.loads(request.body)
    except ValueError:
        return JsonResponse({"detail": "The body is not JSON."}, status=400)
    form = NewTicket(sent if isinstance(sent, dict) else {})
    if not form.is_valid():
        return JsonResponse(form.errors, status=422)
    ticket = tracker.add(form.cleaned_data["title"], form.cleaned_data["priority"] or "normal", request.session["name"])
    return JsonResponse(vars(ticket), status=201, headers={"location": f"/tickets/{ticket.number}"})


@require_safe
def show_ticket(request, number):
    ticket = tracker.find(number)
    if ticket is None:
        raise Http404(f"There is no ticket {number}.")
    return JsonResponse(vars(ticket))


urlpatterns = [
    path("", board),
    path("login", log_in),
    path("tickets", tickets),
    path("tickets/<int:number>", show_ticket),
]
app = get_asgi_application()
