from antiphon import App, Request, Response

app = App()


@app.after_request
def add_version(request: Request, response: Response):
    response.headers["x-version"] = "7"


@app.get("/")
def hello(request: Request):
    return Response.html("Hello, world!")
