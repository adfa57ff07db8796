"""A mistake: in debug mode, the page shows the line, the values, and no secret."""

from antiphon import Blueprint, Request

bug = Blueprint("bug")


@bug.get("/bug")
def total(request: Request) -> dict[str, float]:
    prices = {"tea": 3.5, "milk": None}
    api_key = f"sk-{request.id}"  # masked on the page
    return {"total": sum(prices.values()), "paid_with": len(api_key)}
