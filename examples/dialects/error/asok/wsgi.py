from antiphon.dialects.asok import Asok

app = Asok()


def tell_errors(request, next_handler):
    try:
        return next_handler(request)
    except LookupError as error:
        return request.json({"error": str(error)}, 404)


app.use(tell_errors)
