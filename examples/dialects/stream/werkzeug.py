from antiphon.dialects.werkzeug.wrappers import Request, Response


def rows():
    yield "lamp,price\n"
    for number in range(3):
        yield f"lamp {number},{20 + number}\n"


@Request.application
def app(request):
    return Response(rows(), mimetype="text/csv")
