from antiphon.dialects.flask import Flask, redirect, request

app = Flask(__name__)


@app.get("/")
def moved():
    return redirect(f"/lamps/{request.args['number']}")
