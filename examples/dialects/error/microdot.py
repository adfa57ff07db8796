from antiphon.dialects.microdot import abort
from antiphon.dialects.microdot.asgi import Microdot

app = Microdot()


@app.errorhandler(404)
async def not_found(request):
    return {"error": "There is no such lamp."}, 404


@app.get("/")
async def lamp(request):
    abort(404)
