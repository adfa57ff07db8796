from antiphon.dialects.microdot.asgi import Microdot

app = Microdot()


class NoSuchLamp(Exception):
    pass


@app.errorhandler(NoSuchLamp)
async def no_such_lamp(request, error):
    return {"error": str(error)}, 404


@app.get("/")
async def lamp(request):
    raise NoSuchLamp("There is no such lamp.")
