from asok import Request
from bakery import LOAVES


def get(request: Request):
    return request.json({"bread": [loaf["name"] for loaf in LOAVES], "lang": request.lang})


def post(request: Request):
    name = (request.json_body or {}).get("name")
    if not name:
        return request.api_error("a loaf has a name", 400)
    return request.api({"name": name, "shout": name.upper()}, 201)
