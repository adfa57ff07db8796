from antiphon.dialects.microdot.asgi import Microdot

app = Microdot()


@app.get("/")
async def search(request):
    args = request.args
    return {"q": args["q"], "page": args.get("page", 1, type=int), "tags": args.getlist("tag")}
