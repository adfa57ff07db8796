from antiphon.dialects.microdot import redirect
from antiphon.dialects.microdot.asgi import Microdot

app = Microdot()


@app.get("/")
async def moved(request):
    return redirect(f"/lamps/{request.args['number']}")
