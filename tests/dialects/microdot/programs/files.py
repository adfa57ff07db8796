"""Files of a folder, one of them compressed beforehand."""

from pathlib import Path

from microdot import Microdot, abort, send_file

app = Microdot()
PUBLIC = Path(__file__).parent / "public"


@app.route("/static/<path:path>")
async def static(request, path):
    if ".." in path:
        return "Not found", 404
    try:
        return send_file(str(PUBLIC / path), max_age=86400)
    except OSError:
        abort(404)


@app.get("/style.css")
def style(request):
    return send_file(str(PUBLIC / "style.css"), compressed=True, file_extension=".gz")


@app.get("/made")
async def made(request):
    import io

    return send_file("made.json", 201, stream=io.BytesIO(b"[]"))


@app.get("/typed")
def typed(request):
    return send_file(str(PUBLIC / "page.html"), content_type="text/plain; charset=latin-1")


REQUESTS = [
    ("GET", path)
    for path in (
        "/static/page.html", "/static/no.html", "/static/../hello.py", "/static/data", "/static/style.css.gz",
        "/style.css", "/made", "/typed",
    )
]  # fmt: skip
REQUESTS += [("HEAD", "/static/page.html")]
