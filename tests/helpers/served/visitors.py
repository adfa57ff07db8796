"""Sessions in the store that ``STORE`` names, which may take ``TIMEOUT`` seconds to answer, and a limited page."""

import os

from antiphon import App
from antiphon.features import RateLimit, Sessions
from tests.helpers.stores import store_at

app = App()
store = store_at(os.environ["STORE"], timeout=float(os.environ["TIMEOUT"]))
app.use(Sessions(store))


@app.get("/begin")
def begin(request):
    request.session["name"] = "Ada"
    return "begun"


@app.get("/page")
def page(request):
    return "a page"


@app.get("/name")
def name(request):
    return request.session["name"]


@app.get("/limited", before=RateLimit("2/day", store))
def limited(request):
    return "a page"
