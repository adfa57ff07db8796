"""A login that is a cookie, and a counter in another."""

from datetime import datetime

from microdot import Microdot, redirect

app = Microdot()


@app.get("/")
async def index(request):
    name = request.cookies.get("name")
    return f"Welcome, {name}" if name else ("who?", 401)


@app.post("/login")
async def login(request):
    response = redirect("/")
    response.set_cookie("name", request.form["name"], path="/", http_only=True)
    return response


@app.post("/logout")
async def logout(request):
    @request.after_request
    def reset_session(request, response):
        response.set_cookie("session", "", http_only=True)
        response.delete_cookie("name", path="/")
        return response

    return "Logged out"


@app.get("/count")
def count(request):
    times = int(request.cookies.get("times", "0")) + 1

    @request.after_request
    async def keep(request, response):
        response.set_cookie("times", str(times), max_age=3600, secure=True, domain="example.com")
        response.set_cookie("until", "x", expires=datetime(2030, 1, 2, 3, 4, 5), path="/count")

    return str(times)


@app.get("/all")
async def all_cookies(request):
    return request.cookies


FORM = {"Content-Type": "application/x-www-form-urlencoded"}
REQUESTS = [
    ("GET", "/"), ("POST", "/login", FORM, b"name=Ada"), ("GET", "/", {"Cookie": "name=Ada"}),
    ("POST", "/logout", {"Cookie": "name=Ada"}), ("GET", "/count"),
    ("GET", "/count", {"Cookie": "times=41; other=x"}), ("GET", "/all", {"Cookie": "a=1; b=x=y; c="}),
    ("GET", "/all"),
]  # fmt: skip
