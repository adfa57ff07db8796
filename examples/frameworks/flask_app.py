from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from flask import Flask, abort, redirect, request

app = Flask(__name__)
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
        abort(422, f"These are wrong or missing: {', '.join(wrong)}.")
    return Lamp(values["name"], price)


@app.get("/")
def index():
    return """<!doctype html><title>Lamps</title>
        <form action="/lamps" method="post" enctype="multipart/form-data">
        <input name="name"> <input name="price" type="number">
        <input name="picture" type="file"> <button>Add</button>"""


@app.post("/lamps")
def add():
    lamp = read_lamp(request.form)
    number = len(lamps) + 1
    request.files["picture"].save(pictures / f"{number}.jpg")
    lamps[number] = lamp
    return redirect(f"/lamps/{number}", 303)


@app.get("/lamps/<int:number>")
def show(number):
    if number not in lamps:
        abort(404, f"There is no lamp {number}.")
    return vars(lamps[number])


@app.put("/lamps/<int:number>")
def change(number):
    lamps[number] = read_lamp(request.json)
    return vars(lamps[number])
