"""Routes for users who have logged in. The cookies are of PyJWT."""

from microdot import Microdot
from microdot.login import Login
from microdot.session import Session, with_session

app = Microdot()
Session(app, secret_key=b"a key of at least thirty-two bytes")
login = Login("/enter")
USERS = {7: "ada", 8: "grace"}


class User:
    def __init__(self, id):
        self.id, self.name = id, USERS[id]


@login.user_loader
async def load(user_id):
    return User(user_id) if user_id in USERS else None


@app.get("/")
@login
def index(request):
    return f"Hello, {request.g.current_user.name}!"


@app.get("/orders/<int:n>")
@login
@with_session
async def order(request, session, n):
    return [n, sorted(session), (await login.get_current_user(request)).id]


@app.get("/pay")
@login.fresh
async def pay(request):
    return request.g.current_user.name


@app.post("/enter")
async def enter(request):
    return await login.login_user(request, User(int(request.args["id"])), redirect_url="/start")


@app.get("/leave")
async def leave(request):
    await login.logout_user(request)
    return [await login.get_current_user(request)]


@app.get("/who")
async def who(request):
    user = await login.get_current_user(request)
    return user.name if user else "nobody"


HEADER = "session=eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
ADA = f"{HEADER}eyJfdXNlcl9pZCI6NywiX2ZyZXNoIjp0cnVlfQ.pDNBcPR2q4S1aXv9M3Dfhj8732XpYksitBFeEjbR1wA"
STALE = f"{HEADER}eyJfdXNlcl9pZCI6OCwiX2ZyZXNoIjpmYWxzZX0.kHLrziDVvpy0AVCxpxQcH-5qIrS8Gs8UZKTgG_IYmPY"
PATHS = ["/", "/orders/3", "/pay", "/who", "/leave"]
REQUESTS = [
    *[("GET", path, {"Cookie": cookie}) for path in PATHS for cookie in (ADA, STALE, f"{ADA}x")],
    *[("GET", path) for path in (*PATHS, "/orders/3?a=b&c=d")],
    ("POST", "/enter?id=7"),
    ("POST", "/enter?id=8&next=/orders/3%3Fa=b%26c"),
    ("POST", "/enter?id=8&next=https://evil.example", {"Cookie": ADA}),
    ("POST", "/enter?id=8&next=orders"),
]
