from antiphon.dialects.flask import Flask

app = Flask(__name__)


class NoSuchLamp(Exception):
    pass


@app.errorhandler(NoSuchLamp)
def no_such_lamp(error):
    return {"error": str(error)}, 404


@app.get("/")
def lamp():
    raise NoSuchLamp("There is no such lamp.")
