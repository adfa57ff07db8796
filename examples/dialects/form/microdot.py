from html import escape

from antiphon.dialects.microdot.asgi import Microdot

app = Microdot()


@app.post("/")
async def greet(request):
    colours = " and ".join(request.form.getlist("colour"))
    return escape(f"{request.form['name']} likes {colours}."), {"Content-Type": "text/html"}
