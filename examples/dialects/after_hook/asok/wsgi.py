from antiphon.dialects.asok import Asok

app = Asok()


def add_version(request, next_handler):
    response = next_handler(request)
    request.header("X-Version", "7")
    return response


app.use(add_version)
