from antiphon import App, Request, Response

app = App()


@app.get("/")
def count(request: Request):
    visits = request.cookies.get("visits", 0, type=int) + 1
    response = Response.html(f"Visit {visits}")
    response.set_cookie("visits", str(visits), max_age=3600, httponly=True, samesite="Lax")
    return response
