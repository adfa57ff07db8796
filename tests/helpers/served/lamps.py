"""An application whose public pages share most of their text, compressed with dictionaries unless told otherwise.

Its store and the script of its pages are in the folder ``LAMPS``.
"""

import os
import random
from pathlib import Path

from antiphon import App, Request, Response
from antiphon.features import Compression, SQLiteStore

folder = Path(os.environ["LAMPS"])
app = App(store=SQLiteStore(folder / "store.db"))
app.static("/static", folder / "static")
coding = os.environ.get("LAMPS_CODING")
app.use(Compression([coding] if coding else None, dictionaries=not coding))

WORDS = ["oak", "brass", "linen", "glass", "copper", "walnut", "marble", "cotton", "steel", "paper", "wool", "cork"]
LINKS = "".join(f'<li><a class="nav-link" href="/category/{a}/{b}">{a} {b}</a>' for a in WORDS for b in WORDS[:6])


@app.get("/lamps/<int:number>")
def lamp(request: Request, number: int) -> Response:
    chance = random.Random(number)
    parts = "".join(f"<p>{' '.join(chance.choices(WORDS, k=40))}" for _ in range(4))
    script = f"<script src={request.url_for('static', filename='shop.js')}></script>"
    head = f"<!doctype html><html lang=en><title>Lamp {number}</title>{script}<nav><ul>{LINKS}</ul></nav>"
    main = f"<main><h1>Lamp {number}</h1>{parts}</main>"
    response = Response.html(head + main + "<footer>Terms and conditions apply. </footer>" * 40)
    response.cache_for(300, public=True)
    return response
