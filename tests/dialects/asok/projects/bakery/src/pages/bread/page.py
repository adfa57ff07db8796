from asok import Request
from bakery import LOAVES


def render(request: Request):
    wanted = request.args.get("q", "").lower()
    found = [loaf for loaf in LOAVES if wanted in loaf["name"].lower()]
    return request.html("page.html", found=found, wanted=wanted)
