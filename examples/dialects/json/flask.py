from antiphon.dialects.flask import Flask, request

app = Flask(__name__)


@app.post("/")
def order():
    total = sum(item["price"] for item in request.json["items"])
    return {"customer": request.json["customer"], "total": total}, 201
