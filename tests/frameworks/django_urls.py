"""The URLs of the suite's Django project."""

from django.urls import path

from tests.frameworks.views import views

urlpatterns = [path("item/<name>" if name == "item" else name, function) for name, function in views().items()]
