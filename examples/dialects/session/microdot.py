from antiphon.dialects.microdot.asgi import Microdot
from antiphon.dialects.microdot.session import Session, with_session

app = Microdot()
Session(app, secret_key="a key that nobody else has, of at least 32 characters")


@app.get("/")
@with_session
async def count(request, session):
    session["visits"] = session.get("visits", 0) + 1
    session.save()
    return f"Visit {session['visits']}", {"Content-Type": "text/html"}
