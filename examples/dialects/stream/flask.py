from antiphon.dialects.flask import Flask, Response

app = Flask(__name__)


def rows():
    yield "lamp,price\n"
    for number in range(3):
        yield f"lamp {number},{20 + number}\n"


@app.get("/")
def prices():
    return Response(rows(), mimetype="text/csv")
