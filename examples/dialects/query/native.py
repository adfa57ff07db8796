from antiphon import App, Request

app = App()


@app.get("/")
def search(request: Request):
    args = request.args
    return {"q": args["q"], "page": args.get("page", 1, type=int), "tags": args.getall("tag")}
