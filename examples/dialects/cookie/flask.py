from antiphon.dialects.flask import Flask, make_response, request

app = Flask(__name__)


@app.get("/")
def count():
    visits = request.cookies.get("visits", 0, type=int) + 1
    response = make_response(f"Visit {visits}")
    response.set_cookie("visits", str(visits), max_age=3600, httponly=True, samesite="Lax")
    return response
