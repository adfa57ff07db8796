"""What the guestbook answers."""

from antiphon.dialects.kay import Response
from antiphon.dialects.kay.utils import render_to_response, url_for
from antiphon.dialects.werkzeug.exceptions import Gone


def index(request):
    """A page."""
    return render_to_response("guestbook/index.html", {"title": "<Guests>"}, headers={"X-Lang": request.lang})


def entry(request, number):
    """An entry, and where the next one is."""
    if number == 410:
        raise Gone("It was here.")
    links = url_for("guestbook/entry", number=number + 1, a="b c"), url_for("guestbook/index", _external=True)
    return Response(f"{request.method} {number} {' '.join(links)} {url_for('guestbook/index', _anchor='top')}")
