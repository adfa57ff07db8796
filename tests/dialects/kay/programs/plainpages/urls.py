"""Rules, and views under their endpoints."""

from antiphon.dialects.kay import Response
from antiphon.dialects.werkzeug.routing import Rule


def index(request):
    """Say which method it was."""
    return Response(request.method)


def make_rules():
    """The rules."""
    return [Rule("/", endpoint="plainpages/index")]


all_views = {"plainpages/index": index}
