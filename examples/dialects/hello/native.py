from antiphon import App, Request, Response

app = App()


@app.get("/")
def hello(request: Request):
    return Response.html("<h1>Hello, world!</h1>")
