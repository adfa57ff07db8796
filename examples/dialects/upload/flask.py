from antiphon.dialects.flask import Flask, request

app = Flask(__name__)


@app.post("/")
def picture():
    file = request.files["picture"]
    return {"title": request.form["title"], "name": file.filename, "size": len(file.read())}
