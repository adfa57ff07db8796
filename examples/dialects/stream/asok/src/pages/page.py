def rows():
    yield "lamp,price\n"
    for number in range(3):
        yield f"lamp {number},{20 + number}\n"


def render(request):
    request.content_type = "text/csv; charset=utf-8"
    return rows()
