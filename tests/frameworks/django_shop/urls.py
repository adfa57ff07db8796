"""The views of the project, and their URLs."""

from django.contrib import admin, messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.urls import path

from tests.frameworks.django_shop.models import Order


def home(request):
    return render(request, "home.html", {"orders": Order.objects.all()})


@login_required
def add_order(request):
    order = Order.objects.create(item=request.POST["item"], by=request.user)
    if order.item == "coffee":
        raise ValueError("the machine is broken")
    messages.success(request, f"You ordered {order}.")
    return HttpResponseRedirect("/")


urlpatterns = [
    path("", home),
    path("orders", add_order),
    path("login", LoginView.as_view(template_name="login.html")),
    path("logout", LogoutView.as_view()),
    path("admin/", admin.site.urls),
]
