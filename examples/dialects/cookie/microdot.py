from antiphon.dialects.microdot.asgi import Microdot, Response

app = Microdot()


@app.get("/")
async def count(request):
    visits = int(request.cookies.get("visits", 0)) + 1
    response = Response(f"Visit {visits}", headers={"Content-Type": "text/html"})
    response.set_cookie("visits", str(visits), path="/", max_age=3600, http_only=True)
    return response
