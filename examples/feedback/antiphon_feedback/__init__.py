"""A feedback widget for Flask, Django, FastAPI, aiohttp and others: ``feedback.add_to(app, "/feedback")``.

A form shows what was said, and posts more, as the user that the framework knows.
"""

from dataclasses import asdict, dataclass
from html import escape
from typing import Any

from antiphon import Request, Response, Views, abort, view


@dataclass
class Feedback:
    """The opinion of a visitor, with one to five stars."""

    text: str
    stars: int = 5
    author: str = "anonymous"


said: list[Feedback] = []


@view(methods=("GET", "POST"))
def index(request: Request) -> Any:
    """Show the form and what was said; take more."""
    if request.method == "GET":
        token = request.framework.csrf_token
        links = [(request.url_for(item, number=number), escape(each.text)) for number, each in enumerate(said)]
        items = "".join(f'<li><a href="{url}">{text}</a>' for url, text in links)
        hidden = f'<input type="hidden" name="csrfmiddlewaretoken" value="{token}">' if token else ""
        return Response.html(
            f'<ul>{items}</ul><form method="post">{hidden}<input name="text"><button>Send</button></form>'
        )
    given = request.form_as(Feedback)
    said.append(Feedback(given.text, given.stars, str(request.framework.user or "anonymous")))
    return Response.redirect(request.url_for(item, number=len(said) - 1))


def item(request: Request, number: int) -> dict[str, Any]:
    """Show one feedback as JSON."""
    if number >= len(said):
        abort(404)
    return asdict(said[number]) | {"all": request.url_for(index)}


feedback = Views({"/": index, "/<int:number>": item})
