"""The stream of Flask, which has none from async generators."""

from flask import Flask, Response

from .lines import lines

app = Flask(__name__)


@app.get("/def")
def stream() -> Response:
    return Response(lines(), mimetype="text/csv")
