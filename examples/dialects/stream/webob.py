from antiphon.dialects.webob import Response
from antiphon.dialects.webob.dec import wsgify


def rows():
    yield b"lamp,price\n"
    for number in range(3):
        yield f"lamp {number},{20 + number}\n".encode()


@wsgify
def app(request):
    return Response(app_iter=rows(), content_type="text/csv", charset="utf-8")
