from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from antiphon import App, Request, Response, abort

app = App()
pictures = Path(mkdtemp())  # a folder of yours


@dataclass
class Lamp:
    name: str
    price: int


lamps: dict[int, Lamp] = {}


@app.get("/")
def index(request: Request):
    return Response.html("""<!doctype html><title>Lamps</title>
        <form action="/lamps" method="post" enctype="multipart/form-data">
        <input name="name"> <input name="price" type="number">
        <input name="picture" type="file"> <button>Add</button>""")


@app.post("/lamps")
def add(request: Request):
    lamp = request.form_as(Lamp)  # an invalid field is a 422 that names it
    number = len(lamps) + 1
    request.files["picture"].save(pictures / f"{number}.jpg")
    lamps[number] = lamp
    return Response.redirect(f"/lamps/{number}")


@app.get("/lamps/<int:number>")
def show(request: Request, number: int):
    if number not in lamps:
        abort(404, f"There is no lamp {number}.")
    return lamps[number]  # a dataclass, as JSON


@app.put("/lamps/<int:number>")
def change(request: Request, number: int):
    lamps[number] = request.json_as(Lamp)
    return lamps[number]
