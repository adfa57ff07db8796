"""A form that is sent to the page that shows it."""

from microdot import Microdot, Response

app = Microdot()
Response.default_content_type = "text/html"


@app.route("/", methods=["GET", "POST"])
async def index(req):
    name = "Unknown"
    if req.method == "POST":
        name = req.form.get("name")
    return f"<p>Hello {name}</p>"


@app.post("/survey")
def survey(req):
    if req.form is None:
        return "no form", 415
    return {
        "colors": req.form.getlist("color"),
        "first": req.form.get("color"),
        "age": req.form.get("age", type=int),
        "no": req.form.get("no", "none"),
        "fields": sorted(req.form),
    }


FORM = {"Content-Type": "application/x-www-form-urlencoded"}
REQUESTS = [
    ("GET", "/"),
    ("POST", "/", FORM, b"name=Ada+Lovelace"),
    ("POST", "/", FORM, b"other=1"),
    ("POST", "/", {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}, b"name=Zo%C3%AB%26"),
    ("POST", "/survey", FORM, b"color=red&color=blue&age=36&empty="),
    ("POST", "/survey", FORM, b"color=red"),
    ("POST", "/survey", {"Content-Type": "text/plain"}, b"color=red"),
    ("POST", "/survey", {"Content-Type": "multipart/form-data; boundary=x"}, b"--x--\r\n"),
]
