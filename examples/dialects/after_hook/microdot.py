from antiphon.dialects.microdot.asgi import Microdot

app = Microdot()


@app.after_request
async def add_version(request, response):
    response.headers["X-Version"] = "7"


@app.get("/")
async def hello(request):
    return "Hello, world!", {"Content-Type": "text/html"}
