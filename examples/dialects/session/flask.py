from antiphon.dialects.flask import Flask, session

app = Flask(__name__)
app.secret_key = "nobody else knows these characters"


@app.get("/")
def count():
    session["visits"] = session.get("visits", 0) + 1
    return f"Visit {session['visits']}"
