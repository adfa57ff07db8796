"""What goes wrong, and who answers then."""

from microdot import Microdot, abort

app = Microdot()


class NoStock(LookupError):
    pass


@app.get("/<name>")
async def order(request, name):
    if name == "abort":
        abort(403, "not for you")
    if name == "gone":
        abort(410)
    if name == "stock":
        raise NoStock("lamps")
    if name == "index":
        [].pop()
    if name == "zero":
        return 1 / 0
    return name


@app.errorhandler(404)
async def not_found(request):
    return {"error": "resource not found", "path": request.path}, 404


@app.errorhandler(405)
def not_allowed(request):
    return "try another", 405, {"X-Method": request.method}


@app.errorhandler(410)
def gone(request):
    return "it was here once"


@app.errorhandler(NoStock)
async def no_stock(request, exception):
    return f"no more {exception}", 409


@app.errorhandler(LookupError)
def lookup(request, exception):
    return type(exception).__name__, 500


@app.after_request
def after(request, response):
    response.headers["X-After"] = "request"
    return ("replaced", 203) if request.args.get("replace") else None


@app.after_error_request
def after_error(request, response):
    response.headers["X-After"] = "error"


REQUESTS = [("GET", f"/{name}") for name in ("fine", "abort", "gone", "stock", "index", "zero", "no/thing")]
REQUESTS += [("POST", "/fine"), ("OPTIONS", "/fine"), ("GET", "/fine?replace=1")]
