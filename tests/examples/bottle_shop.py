"""A program for Bottle's everyday API, which knows nothing of Antiphon."""

import os

import bottle
from bottle import Bottle, HTTPError, HTTPResponse, abort, redirect, request, response, static_file

app = Bottle()
FOLDER = globals().get("FOLDER") or os.environ["FOLDER"]


@app.hook("before_request")
def begin():
    request.environ["shop.begun"] = "yes"


@app.hook("after_request")
def end():
    response.headers["X-Hook"] = request.environ["shop.begun"]


@app.route("/")
def index():
    return "Grüße"


@app.get("/lamps/<id:int>")
def lamp(id):
    response.set_cookie("seen", str(id), path="/", httponly=True, max_age=60)
    return {"id": id, "kind": type(id).__name__}


@app.delete("/lamps/<id:int>")
def remove(id):
    response.status = 204
    response.delete_cookie("seen", path="/")


@app.get("/prices/<price:float>")
def price(price):
    return repr(price)


@app.get("/codes/<code:re:[a-z]{2}[0-9]{2}>")
def code(code):
    return code


@app.get("/files/<path:path>")
def path(path):
    response.content_type = "text/plain; charset=latin1"
    return f"ü {path}"


@app.get("/query")
def query():
    q = request.query
    return {
        "raw": q["q"], "text": q.q, "all": q.getall("q"), "n": q.get("n", type=int), "m": q.get("m", 5, type=int),
        "missing": q.missing, "unicode": q.getunicode("q"), "string": request.query_string, "has": "n" in q,
        "names": sorted(q), "url": request.url, "path": request.path, "method": request.method,
    }  # fmt: skip


@app.post("/form")
def form():
    forms = request.forms
    return {
        "a": forms.get("a"), "name": forms.get("name"), "decoded": forms.name, "params": request.params.getall("a"),
        "query": request.query.get("a"), "type": request.content_type, "length": request.content_length,
    }  # fmt: skip


@app.post("/upload")
def upload():
    file = request.files.get("file")
    target = os.path.join(FOLDER, "saved")
    file.save(target, overwrite=True)
    with open(target, "rb") as saved:
        kept = saved.read().decode()
    return {
        "title": request.forms.title, "name": file.name, "filename": file.filename, "raw": file.raw_filename,
        "type": file.content_type, "read": file.file.read().decode(), "saved": kept,
    }  # fmt: skip


@app.route("/json", method=["POST", "PUT"])
def json():
    return {"json": request.json}


@app.put("/body")
def body():
    return request.body.read()


@app.get("/cookies")
def cookies():
    return {"seen": request.get_cookie("seen"), "none": request.get_cookie("none", "no"), "all": len(request.cookies)}


@app.get("/header")
def header():
    response.set_header("X-Made", "1")
    response.add_header("X-Made", "2")
    return {"colour": request.get_header("X-Colour"), "same": request.headers["x-colour"], "auth": list(request.auth)}


@app.get("/redirect")
def away():
    response.set_cookie("kept", "1")
    redirect("/lamps/1?a=b")


@app.get("/moved")
def moved():
    redirect("https://example.com/", 301)


@app.get("/forbidden")
def forbidden():
    abort(403, "Not for you")


@app.get("/teapot")
def teapot():
    return HTTPResponse("short and stout", status=418, headers={"X-Made": "of clay"})


@app.get("/raised")
def raised():
    raise HTTPError(409, "Taken")


@app.get("/failing")
def failing():
    raise ValueError("secret")


@app.get("/list")
def parts():
    return ["one ", "two"]


@app.get("/stream")
def stream():
    response.content_type = "text/plain"
    yield ""
    yield "a"
    yield "ü"


@app.get("/none")
def none():
    return None


@app.get("/empty")
def empty():
    return ""


@app.get("/bytes")
def raw():
    response.content_type = "application/octet-stream"
    return b"\x00\xff"


@app.get("/static/<name:path>")
def static(name):
    return static_file(name, root=FOLDER)


@app.get("/baking")
def baking():
    response.set_cookie("plain", "a b")
    response.set_cookie("long", "1", maxage=60, domain="example.com", secure=True, samesite="lax")
    response.set_cookie("until", "2", expires=2000000000, path="/")
    response.set_cookie("twice", "first")
    response.set_cookie("twice", "second")
    response.delete_cookie("gone")
    return "baked"


@app.get("/lines")
def lines():
    response.status = "299 Some of it"
    response.add_header("X-Made", "1")
    response.add_header("X-Made", "2")
    return f"{response.status} {response.status_code} {response.status_line} {HTTPResponse(status=404).status}"


@app.get("/opened")
def opened():
    response.content_type = "text/plain"
    return open(os.path.join(FOLDER, "notes.txt"), "rb")


@app.get("/download")
def download():
    return static_file("notes.txt", root=FOLDER, download="lamps.txt", mimetype="text/x-lamps")


@app.error(416)
def nothing_there(error):
    return error.status


@app.error(400)
@app.error(403)
@app.error(404)
@app.error(405)
@app.error(409)
@app.error(500)
def failed(error):
    response.content_type = "text/plain"
    return f"{error.status_code}: {error.body}"


if __name__ == "__main__":
    bottle.run(app)
