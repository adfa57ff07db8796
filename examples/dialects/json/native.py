from antiphon import App, Request

app = App()


@app.post("/")
def order(request: Request):
    total = sum(item["price"] for item in request.json["items"])
    return {"customer": request.json["customer"], "total": total}, 201
