from antiphon.dialects.flask import Flask, session

app = Flask(__name__)
app.secret_key = "a key that nobody else has, of at least 32 characters"


@app.get("/")
def count():
    session["visits"] = session.get("visits", 0) + 1
    return f"Visit {session['visits']}"
