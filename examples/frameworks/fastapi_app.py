from pathlib import Path
from tempfile import mkdtemp
from typing import Annotated

from fastapi import FastAPI, Form, HTTPException, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel

app = FastAPI()
pictures = Path(mkdtemp())


class Lamp(BaseModel):
    name: str
    price: int


class LampForm(Lamp):
    picture: UploadFile


lamps: dict[int, Lamp] = {}


@app.get("/", response_class=HTMLResponse)
async def index():
    return """<!doctype html><title>Lamps</title>
        <form action="/lamps" method="post" enctype="multipart/form-data">
        <input name="name"> <input name="price" type="number">
        <input name="picture" type="file"> <button>Add</button>"""


@app.post("/lamps")
async def add(form: Annotated[LampForm, Form(media_type="multipart/form-data")]):
    number = len(lamps) + 1
    (pictures / f"{number}.jpg").write_bytes(await form.picture.read())
    lamps[number] = Lamp(name=form.name, price=form.price)
    return RedirectResponse(f"/lamps/{number}", 303)


@app.get("/lamps/{number}")
async def show(number: int) -> Lamp:
    if number not in lamps:
        raise HTTPException(404, f"There is no lamp {number}.")
    return lamps[number]


@app.put("/lamps/{number}")
async def change(number: int, lamp: Lamp) -> Lamp:
    lamps[number] = lamp
    return lamp
