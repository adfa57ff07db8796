"""Pages as text and HTML, redirects, headers, a path with parameters."""

from microdot import Microdot, Response, redirect

app = Microdot()


@app.route("/")
async def index(request):
    return "Hello, world!"


@app.get("/page")
def page(request):
    return "<h1>Hello</h1>", 200, {"Content-Type": "text/html"}


@app.get("/greet/<name>")
async def greet(request, name):
    return f"Hello, {request.args.get('title', '')}{name} ({request.args.get('n', 1, type=int) + 1})"


@app.get("/sum/<int:a>/<int:b>")
async def add(request, a, b):
    return str(a + b)


@app.get("/files/<path:path>")
async def path(request, path):
    return path


@app.get("/color/<re:[0-9a-f]{6}:code>")
async def color(request, code):
    return {"code": code}


@app.get("/old")
async def old(request):
    return redirect("/greet/new?n=2")


@app.get("/away")
async def away(request):
    return Response.redirect("https://elsewhere.example/", 301)


@app.get("/empty")
async def empty(request):
    return None


@app.get("/teapot")
async def teapot(request):
    return 418


@app.route("/shutdown-not", methods=["GET", "post"])
@app.put("/changed")
@app.patch("/changed")
@app.delete("/changed")
async def method(request):
    return request.method, {"X-Path": request.path, "X-Query": request.query_string or "none"}


REQUESTS = [
    ("GET", "/"), ("HEAD", "/"), ("POST", "/"), ("OPTIONS", "/"), ("OPTIONS", "/nowhere"), ("GET", "/page"),
    ("GET", "/greet/Zo%C3%AB?title=Dr.%20&n=41"), ("GET", "/greet/a+b?x=1"), ("GET", "/sum/40/2"),
    ("GET", "/sum/-40/2"), ("GET", "/sum/4x/2"), ("GET", "/files/a/b/c.txt"), ("GET", "/files/"),
    ("GET", "/color/00ff99"), ("GET", "/color/00FF99"), ("GET", "/old"), ("GET", "/away"), ("GET", "/empty"),
    ("GET", "/teapot"), ("GET", "/shutdown-not?a=1&b"), ("POST", "/shutdown-not"),
    *[(method, "/changed") for method in ("PUT", "PATCH", "DELETE", "GET")],
]  # fmt: skip
