from antiphon.dialects.microdot.asgi import Microdot
from antiphon.dialects.microdot.multipart import with_form_data

app = Microdot()


@app.post("/")
@with_form_data
async def picture(request):
    file = request.files["picture"]
    size = len(await file.read())
    return {"title": request.form["title"], "name": file.filename, "size": size}
