from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse
from starlette.routing import Route

pictures = Path(mkdtemp())


@dataclass
class Lamp:
    name: str
    price: int


lamps: dict[int, Lamp] = {}


def read_lamp(values):
    wrong = []
    if not isinstance(values.get("name"), str):
        wrong.append("name")
    try:
        price = int(values["price"])
    except (KeyError, TypeError, ValueError):
        wrong.append("price")
    if wrong:
        raise HTTPException(422, f"These are wrong or missing: {', '.join(wrong)}.")
    return Lamp(values["name"], price)


async def index(request):
    return HTMLResponse("""<!doctype html><title>Lamps</title>
        <form action="/lamps" method="post" enctype="multipart/form-data">
        <input name="name"> <input name="price" type="number">
        <input name="picture" type="file"> <button>Add</button>""")


async def add(request):
    async with request.form() as form:
        lamp = read_lamp(form)
        number = len(lamps) + 1
        content = await form["picture"].read()
        (pictures / f"{number}.jpg").write_bytes(content)
    lamps[number] = lamp
    return RedirectResponse(f"/lamps/{number}", 303)


async def show(request):
    number = request.path_params["number"]
    if number not in lamps:
        raise HTTPException(404, f"There is no lamp {number}.")
    return JSONResponse(vars(lamps[number]))


async def change(request):
    number = request.path_params["number"]
    lamps[number] = read_lamp(await request.json())
    return JSONResponse(vars(lamps[number]))


app = Starlette(
    routes=[
        Route("/", index),
        Route("/lamps", add, methods=["POST"]),
        Route("/lamps/{number:int}", show),
        Route("/lamps/{number:int}", change, methods=["PUT"]),
    ]
)
