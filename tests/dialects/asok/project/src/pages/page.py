from asok import Request


def render(request: Request):
    return request.html("page.html", name=request.args.get("name", "World"), items=[1, 2, 3])
