"""Data of a visitor in a signed cookie. The cookies are of PyJWT."""

from microdot import Microdot
from microdot.session import Session, with_session

app = Microdot()
KEY = "a key of at least thirty-two bytes"
sessions = Session(app, KEY, cookie_options={"secure": True, "path": "/; SameSite=Lax"})


@app.get("/")
async def read(request):
    return dict(sessions.get(request))


@app.get("/name/<name>")
@with_session
def rename(request, session, name):
    session["name"] = name
    session.save()
    session["name"] = "not saved"
    return dict(sessions.get(request)), 201


@app.get("/out")
@with_session
async def end(request, session):
    session.delete()
    return "gone"


@app.get("/wrong")
@with_session
def fail(request, session):
    session.save()
    return 1 / 0


@app.get("/none")
def without(request):
    return "no session was read"


@app.get("/token")
async def token(request):
    return [sessions.encode({"a": "é", "b": (1,)}), sessions.decode("none"), sessions.decode("a.b.c", b"other key")]


HEADER = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
PAYLOAD = "eyJuYW1lIjoiam9lIiwibiI6WzEsMi41LG51bGwseyJhIjoiXHUwMGU5In1dfQ."
JOE = f"{HEADER}{PAYLOAD}osRYnUTeix9LtNE_yoRVG18NHCT1IiwnN4yb114F2pQ"
LATE = f"{HEADER}eyJuYW1lIjoibGF0ZSIsImV4cCI6MX0.zcjQII6DY2rEl0A6611nKukvQYYM1C2ahXJXBAFMzmo"
COOKIES = [JOE, LATE, f"{JOE}x", JOE[:-1], JOE.replace("J", "K", 1), "", "a.b", f"{HEADER}{PAYLOAD}", '"x"']
REQUESTS = [
    *[("GET", "/", {"Cookie": f"session={cookie}"}) for cookie in COOKIES],
    *[("GET", path) for path in ("/", "/name/ada", "/out", "/none", "/token")],
    *[("GET", path, {"Cookie": f"other=1; session={JOE}"}) for path in ("/name/ada", "/out", "/wrong", "/none")],
]
