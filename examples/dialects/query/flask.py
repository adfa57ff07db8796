from antiphon.dialects.flask import Flask, request

app = Flask(__name__)


@app.get("/")
def search():
    args = request.args
    return {"q": args["q"], "page": args.get("page", 1, type=int), "tags": args.getlist("tag")}
