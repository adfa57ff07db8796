"""FastAPI, with Starlette's sessions."""

from hashlib import file_digest

from fastapi import FastAPI, Request, UploadFile
from fastapi.responses import HTMLResponse, PlainTextResponse
from fastapi.templating import Jinja2Templates
from pydantic import BaseModel
from starlette.middleware.sessions import SessionMiddleware

from . import shop

app = FastAPI()
app.add_middleware(SessionMiddleware, secret_key=shop.KEY)
templates = Jinja2Templates(directory=shop.FOLDER)


class Item(BaseModel):
    name: str
    price: float
    count: int


class Order(BaseModel):
    customer: str
    items: list[Item]


@app.get("/page", response_class=HTMLResponse)
def page(request: Request):
    return templates.TemplateResponse(request, "page.html", {"lamps": shop.lamps()})


@app.get("/rows")
async def rows() -> list[shop.Row]:
    return shop.ROWS


@app.post("/orders")
async def orders(order: Order) -> dict[str, float]:
    return {"total": shop.total(order.items)}


@app.post("/upload")
def upload(file: UploadFile) -> dict[str, str]:
    return {"sha256": file_digest(file.file, "sha256").hexdigest()}


@app.get("/visit", response_class=PlainTextResponse)
async def visit(request: Request) -> str:
    request.session["visits"] = request.session.get("visits", 0) + 1
    return "welcome"
