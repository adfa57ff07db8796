from antiphon import App, Request, Response

app = App()


@app.get("/")
def moved(request: Request):
    return Response.redirect(f"/lamps/{request.args['number']}", 302)
