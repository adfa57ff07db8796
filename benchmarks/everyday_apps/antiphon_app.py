"""Antiphon."""

from antiphon import App, Request
from antiphon.features import CookieStore, Page, Sessions, Templates

from . import shop

app = App()
app.use(Templates(shop.FOLDER))
app.use(Sessions(CookieStore([shop.KEY])))


@app.get("/page")
def page(_request: Request) -> Page:
    return Page("page.html", lamps=shop.lamps())


@app.get("/rows")
async def rows(_request: Request) -> list[shop.Row]:
    return shop.ROWS


@app.post("/orders")
async def order(request: Request) -> dict[str, float]:
    return {"total": shop.total(request.json_as(shop.Order).items)}


@app.post("/upload")
def upload(request: Request) -> dict[str, str]:
    return {"sha256": request.files["file"].digest("sha256")}


@app.get("/visit")
async def visit(request: Request) -> str:
    request.session["visits"] = request.session.get("visits", 0) + 1
    return "welcome"
