"""An application with tables: of objects in memory, and of a database's rows that can be edited, as pages in two
directions.
"""

import itertools
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Meta

from antiphon import App, Request, Response, abort, decimal_meta
from antiphon.features import Field, Form, Table, TableQuery
from antiphon.types import Markup

STYLE = """:root { color-scheme: light dark } a { color: light-dark(#1f5fa8, #8fbff5) }
body { background: light-dark(#fff, #191a1c); color: light-dark(#222, #eee); font: 1rem/1.5 sans-serif; margin: 1rem }
.scrolls { overflow-x: auto } table { border-collapse: collapse; width: 100% } caption { text-align: start }
th, td { text-align: start; padding: .3rem .6rem; border-bottom: 1px solid } .number { text-align: end }
.date { white-space: nowrap }
.filters { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: end }
.filters .field, input, select { max-width: 100%; min-width: 0 } label { display: block }
.pages { display: flex; flex-wrap: wrap; gap: 1rem; padding: .5rem 0 }"""
PAGE = """<!doctype html><html lang="{lang}" dir="{dir}"><meta charset="utf-8"><title>Lamps</title>
<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,"><style>{style}</style>
<main><h1>Lamps</h1>{body}</main></html>"""


@dataclass
class Lamp:
    name: Annotated[str, Meta(min_length=2, max_length=40)]
    price: Annotated[Decimal, decimal_meta(ge=0, places=2)]
    watts: Annotated[int, Field(label="Power")]
    state: Literal["new", "used", "sold"] = "new"
    day: Annotated[date | None, Field(label="Delivered")] = None
    is_led: bool = False
    number: Annotated[int, Field(widget="hidden")] = 0


NAMES = ("Desk", "Floor", "<b>Wall & door</b>", "مصباح (كبير)", "=HYPERLINK(0)", "-5 volts", "ceiling")
STATES: tuple[Literal["new", "used", "sold"], ...] = ("new", "used", "sold")
START = date(2030, 1, 1)
LAMPS = [
    Lamp(
        f"{name} {number}", Decimal(number * 7 % 100), -number, STATES[number % 3],
        START + timedelta(number) if number % 5 else None, number % 2 == 0, number,
    )
    for number, name in zip(range(1, 121), itertools.cycle(NAMES))
]  # fmt: skip

app = App()


def table_of(request: Request, rows) -> Table[Lamp]:
    return Table(
        Lamp, request, rows, caption="All lamps", csv="lamps.csv", size=20,
        filters=["name", "price", "day", "state", "is_led"], link=lambda lamp: f"/lamps/{lamp.number}",
    )  # fmt: skip


def page(request: Request, body: object, status: int) -> Response:
    direction = request.args.get("dir", "ltr")
    lang = "ar" if direction == "rtl" else "en"
    shown = PAGE.format(lang=lang, dir="rtl" if lang == "ar" else "ltr", style=STYLE, body=Markup(body))
    return Response.html(shown, status)


@app.get("/lamps")
def lamps(request: Request):
    table = table_of(request, LAMPS)
    return table.csv() if table.is_csv else page(request, table, table.status)


@app.get("/fetched")
async def fetched(request: Request):
    async def fetch(query: TableQuery) -> list[Lamp]:
        return query.rows_of(LAMPS)

    table = table_of(request, fetch)
    await table.aload()
    return table.csv() if table.is_csv else page(request, table, table.status)


@app.route("/lamps/<int:number>", ["GET", "POST"])
def lamp(request: Request, number: int):
    found = next((each for each in LAMPS if each.number == number), None) or abort(404)
    form = Form(Lamp, request, initial=found)
    if form.validate():
        form.apply(found)
        return Response.redirect("/lamps")
    return page(request, form, form.status)
