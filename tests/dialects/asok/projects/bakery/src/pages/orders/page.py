from asok import Request
from bakery import loaf_of


def post(request: Request):
    sent = request.validate(
        {"loaf": "required|integer", "count": ("required|between:1,9", {"between": "{min} to {max}!"})}
    )
    request.status_code(201)
    return request.json({"loaf": loaf_of(sent["loaf"])["name"], "count": int(sent["count"])})
