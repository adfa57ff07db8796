from antiphon import App, Request

app = App()


class NoSuchLamp(Exception):
    pass


@app.errorhandler(NoSuchLamp)
def no_such_lamp(request: Request, error: NoSuchLamp):
    return {"error": str(error)}, 404


@app.get("/")
def lamp(request: Request):
    raise NoSuchLamp("There is no such lamp.")
