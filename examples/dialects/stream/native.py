from antiphon import App, Request, Response

app = App()


def rows():
    yield "lamp,price\n"
    for number in range(3):
        yield f"lamp {number},{20 + number}\n"


@app.get("/")
def prices(request: Request):
    return Response.stream(rows(), content_type="text/csv; charset=utf-8")
