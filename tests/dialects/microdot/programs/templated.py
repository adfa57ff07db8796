"""Pages and mails of Jinja2's templates."""

from pathlib import Path

from microdot import Microdot, Response
from microdot.jinja import Template

app = Microdot()
Response.default_content_type = "text/html"
Template.initialize(str(Path(__file__).parent / "templates"), enable_async=True, trim_blocks=True)
Template.jinja_env.globals["shop"] = lambda: "of & all"
ORDER = {"id": 7, "items": ["<tea>", "milk"]}


@app.get("/")
async def page(request):
    return await Template("order.html").render_async(order=ORDER)


@app.get("/threads")
def on_a_thread(request):
    return Template("order.html").render({"order": ORDER})


@app.get("/streamed")
async def streamed(request):
    return Template("order.html").generate_async(order=ORDER)


@app.get("/mail")
async def mail(request):
    template = Template("order.txt")
    text = await template.render_async(order=ORDER, name="<Ada>")
    return text, {"Content-Type": "text/plain", "X-Name": template.name}


@app.get("/bound")
async def bound(request):
    return await Template("order.txt", globals={"name": "all"}).render_async({"order": ORDER})


@app.get("/missing")
async def missing(request):
    return await Template("none.html").render_async()


@app.get("/fails")
async def fails(request):
    return await Template("order.html").render_async()


PATHS = ["/", "/threads", "/streamed", "/mail", "/bound", "/missing", "/fails"]
REQUESTS = [*[("GET", path) for path in PATHS], ("HEAD", "/streamed")]
