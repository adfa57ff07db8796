"""Several views for one context, request type and name. Predicates and Accept choose among them."""

from operator import itemgetter
from typing import Any

from zope.interface import implementer

from antiphon.dialects.pyramid.config.predicates import sort_accept_offers
from antiphon.dialects.pyramid.exceptions import PredicateMismatch
from antiphon.dialects.pyramid.interfaces import IMultiView

Entry = tuple[int, Any, Any]


@implementer(IMultiView)
class MultiView:
    """Views in the order of trying: first those for media types that the client accepts, by its preference."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.media_views: dict[str, list[Entry]] = {}
        self.views: list[Entry] = []
        self.accepts: list[str] = []

    def __discriminator__(self, context: Any, request: Any) -> Any:
        return self.match(context, request).__discriminator__(context, request)

    def add(
        self, view: Any, order: int, phash: Any = None, accept: str | None = None, accept_order: Any = None
    ) -> None:
        """Add a view; it replaces one with equal predicates."""
        entry = (order, view, phash)
        if phash is not None and _replaced(self.views, entry):
            return
        if accept is None:
            self.views.append(entry)
            self.views.sort(key=itemgetter(0))
            return
        entries = self.media_views.setdefault(accept, [])
        if _replaced(entries, entry):
            return
        entries.append(entry)
        entries.sort(key=itemgetter(0))
        preferred = [each for _, each in accept_order.sorted()] if accept_order else None
        self.accepts = sort_accept_offers({*self.accepts, accept}, preferred)

    def get_views(self, request: Any) -> list[Entry]:
        """Return the views to try for a request."""
        if not self.accepts or not hasattr(request, "accept"):
            return self.views
        offers = request.accept.acceptable_offers(self.accepts)
        return [*[entry for offer, _ in offers for entry in self.media_views[offer]], *self.views]

    def match(self, context: Any, request: Any) -> Any:
        """Return the first view whose predicates match. Raises PredicateMismatch."""
        for _, view, _ in self.get_views(request):
            matches = getattr(view, "__predicated__", None)
            if matches is None or matches(context, request):
                return view
        raise PredicateMismatch(self.name)

    def __permitted__(self, context: Any, request: Any) -> Any:
        permitted = getattr(self.match(context, request), "__permitted__", None)
        return True if permitted is None else permitted(context, request)

    def __call_permissive__(self, context: Any, request: Any) -> Any:
        view = self.match(context, request)
        return getattr(view, "__call_permissive__", view)(context, request)

    def __call__(self, context: Any, request: Any) -> Any:
        for _, view, _ in self.get_views(request):
            try:
                return view(context, request)
            except PredicateMismatch:
                continue
        raise PredicateMismatch(self.name)


def _replaced(entries: list[Entry], entry: Entry) -> bool:
    """Return True if an entry with equal predicates existed, and is replaced."""
    for index, (_, _, phash) in enumerate(entries):
        if phash == entry[2]:
            entries[index] = entry
            return True
    return False
