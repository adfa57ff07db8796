from antiphon import App, Request

app = App()


@app.post("/")
def picture(request: Request):
    file = request.files["picture"]
    return {"title": request.form["title"], "name": file.filename, "size": file.size}
