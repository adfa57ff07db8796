"""Applications that show the host and the path of their request."""

from antiphon import App
from antiphon.dialects.flask import Flask, request
from antiphon.dialects.microdot import Microdot

native = App()
native.get("/")(lambda request: f"{request.host} {request.path}")

flask = Flask(__name__)
flask.get("/")(lambda: f"{request.host} {request.path}")

microdot = Microdot()
microdot.get("/")(lambda request: f"{request.headers['Host']} {request.path}")
