from antiphon.dialects.microdot.asgi import Microdot
from antiphon.dialects.microdot.session import Session, with_session

app = Microdot()
Session(app, secret_key="nobody else knows these characters")


@app.get("/")
@with_session
async def count(request, session):
    session["visits"] = session.get("visits", 0) + 1
    session.save()
    return f"Visit {session['visits']}", {"Content-Type": "text/html"}
