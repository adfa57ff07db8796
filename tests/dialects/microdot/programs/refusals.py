"""Functions before the request that answer in its place, and what errors leave to those after it."""

from microdot import Microdot, Response, abort

app = Microdot()
ANSWERS = {
    "tuple": ("refused", 202, {"X-Why": "tuple"}),
    "empty": "",
    "zero": 0,
    "dict": {"refused": True},
    "status": 204,
    "response": Response("refused", 403),
}


@app.before_request
async def refuse(request):
    name = request.path.strip("/")
    if name == "abort":
        abort(401, "who are you?")
    if name == "fail":
        raise KeyError(name)
    return ANSWERS.get(name)


@app.before_request
def second(request):
    request.g.second = True
    return ("second", 299) if request.path == "/late" else None


@app.after_request
async def after(request, response):
    response.headers["X-Second"] = str(hasattr(request.g, "second"))


@app.after_error_request
def after_error(request, response):
    response.headers["X-Second"] = f"error, {hasattr(request.g, 'second')}"
    return Response("lost", 410, response.headers) if request.path == "/lost" else None


@app.errorhandler(Exception)
async def any_error(request, exception):
    return None if isinstance(exception, IndexError) else f"any: {type(exception).__name__}"


@app.get("/<name>")
async def handler(request, name):
    @request.after_request
    async def own(request, response):
        response.headers["X-Own"] = response.headers.get("X-Second")
        if name == "last":
            raise ValueError(name)

    return [].pop() if name == "index" else "handled"


NAMES = [*ANSWERS, "abort", "fail", "late", "index", "last", "any", "lost/path"]
REQUESTS = [("GET", f"/{name}") for name in NAMES] + [("HEAD", "/any"), ("PUT", "/any"), ("GET", "/lost")]
