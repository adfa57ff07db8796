from antiphon.dialects.microdot.asgi import Microdot

app = Microdot()


@app.get("/")
async def hello(request):
    return "<h1>Hello, world!</h1>", {"Content-Type": "text/html"}
