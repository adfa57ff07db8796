from antiphon import App, Request, Response
from antiphon.features import CookieStore, Sessions

app = App()
app.use(Sessions(CookieStore(["nobody else knows these characters"])))


@app.get("/")
def count(request: Request):
    request.session["visits"] = request.session.get("visits", 0) + 1
    return Response.html(f"Visit {request.session['visits']}")
