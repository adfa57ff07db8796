from antiphon import App, Request, Response
from antiphon.features import CookieStore, Sessions

app = App()
app.use(Sessions(CookieStore(["a key that nobody else has, of at least 32 characters"])))


@app.get("/")
def count(request: Request):
    request.session["visits"] = request.session.get("visits", 0) + 1
    return Response.html(f"Visit {request.session['visits']}")
