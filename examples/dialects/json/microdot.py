from antiphon.dialects.microdot.asgi import Microdot

app = Microdot()


@app.post("/")
async def order(request):
    total = sum(item["price"] for item in request.json["items"])
    return {"customer": request.json["customer"], "total": total}, 201
