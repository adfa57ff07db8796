"""Who may, and what is noted of it."""

from microdot import Microdot

app = Microdot()
log = []


@app.before_request
async def authorize(request):
    username = {"Token ada": "ada"}.get(request.headers.get("Authorization"))
    if request.path.startswith("/private") and not username:
        return "Unauthorized", 401
    request.g.username = username
    return None


@app.before_request
def note(request):
    log.append(request.path)


@app.get("/private/me")
async def index(request):
    return f"Hello, {request.g.username}!"


@app.get("/public")
def public(request):
    request.g.seen = "public"
    return {"user": request.g.username, "agent": request.headers["User-Agent"], "none": request.headers.get("X-None")}


@app.get("/log")
async def show(request):
    return log


@app.after_request
async def count(request, response):
    response.headers["X-Status"] = str(response.status_code)
    response.headers["x-seen"] = getattr(request.g, "seen", "nothing")
    return response


@app.after_request
def replace(request, response):
    if request.args.get("replace"):
        return "replaced", 203
    return None


REQUESTS = [
    ("GET", "/public", {"User-Agent": "test"}), ("GET", "/private/me"),
    ("GET", "/private/me", {"Authorization": "Token ada"}),
    ("GET", "/private/me", {"authorization": "Token eve"}),
    ("GET", "/private/none"), ("GET", "/public?replace=1", {"User-Agent": "test"}), ("GET", "/log"),
]  # fmt: skip
