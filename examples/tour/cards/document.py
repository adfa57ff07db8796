"""An API whose document is made from this code: its types, its 404, and a form to try it."""

from antiphon import Blueprint, Request, abort
from antiphon.features import OpenAPI
from examples.tour.cards.typed import Lamp

document = OpenAPI("Lamps", prefix="/api")
lamps = Blueprint("lamps", prefix="/api")
known = [Lamp("Desk", 40), Lamp("Floor", 95)]


@lamps.get("/lamps")
def list_lamps(request: Request) -> list[Lamp]:
    """List the lamps that cost no more."""
    most = request.args.get("most", 1000, type=int)
    return [lamp for lamp in known if lamp.price <= most]


@lamps.get("/lamps/<int:number>")
def show_lamp(request: Request, number: int) -> Lamp:
    """Show a lamp."""
    return known[number] if number < len(known) else abort(404, f"There is no lamp {number}.")
