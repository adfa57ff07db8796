"""The outermost view derivers, for predicates and order, and combined views for the same context, type and name."""

from functools import wraps
from inspect import isclass
from operator import itemgetter
from typing import Any

from zope.interface import implementer
from zope.interface.interfaces import IInterface

from antiphon.dialects.pyramid.config.predicates import DEFAULT_PHASH, MAX_ORDER, sort_accept_offers
from antiphon.dialects.pyramid.decorator import reify
from antiphon.dialects.pyramid.exceptions import PredicateMismatch
from antiphon.dialects.pyramid.interfaces import IException, IMultiView, IViewDeriverInfo

Entry = tuple[int, Any, Any]


@implementer(IMultiView)
class MultiView:
    """Views in the order to try them. Those for media types come first, in the client's order of preference."""

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
        """Add a view. It replaces a view with equal predicates."""
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
    """Replace an entry with equal predicates. Return True if there was one."""
    for index, (_, _, phash) in enumerate(entries):
        if phash == entry[2]:
            entries[index] = entry
            return True
    return False


@implementer(IViewDeriverInfo)
class ViewDeriverInfo:
    """Information about a view, as passed to derivers."""

    def __init__(
        self, view: Any, registry: Any, package: Any, predicates: Any, exception_only: bool, options: Any
    ) -> None:
        self.original_view = view
        self.registry = registry
        self.package = package
        self.predicates = predicates or []
        self.options = options or {}
        self.exception_only = exception_only
        self.order: int = MAX_ORDER
        self.phash: str = DEFAULT_PHASH

    @reify
    def settings(self) -> Any:
        return self.registry.settings


def attr_wrapped_view(view: Any, info: Any) -> Any:
    """Return a view that stores its order among other views as an attribute, unless it comes last."""
    accept, order, phash = info.options.get("accept"), info.order, info.phash
    if accept is None and order == MAX_ORDER and phash == DEFAULT_PHASH:
        return view

    described: Any = view
    if not info.predicates:  # the view may be the program's own function

        def attr_view(context: Any, request: Any) -> Any:
            return view(context, request)

        described = attr_view
    described.__accept__ = accept
    described.__order__ = order
    described.__phash__ = phash
    described.__view_attr__ = info.options.get("attr")
    described.__permission__ = info.options.get("permission")
    return described


attr_wrapped_view.options = ("accept", "attr", "permission")  # type: ignore[attr-defined]


def predicated_view(view: Any, info: Any) -> Any:
    """Return a view that raises PredicateMismatch unless all predicates match."""
    predicates = info.predicates
    if not predicates:
        return view

    def predicated(context: Any, request: Any) -> Any:
        for predicate in predicates:
            if not predicate(context, request):
                name = getattr(view, "__name__", view)
                raise PredicateMismatch(f"predicate mismatch for view {name} ({predicate.text()})")
        return view(context, request)

    described: Any = predicated
    described.__predicated__ = lambda context, request: all(each(context, request) for each in predicates)
    described.__predicates__ = predicates
    return predicated


def runtime_exc_view(view: Any, excview: Any) -> Any:
    """Return a view that calls the second view if the request has an exception, and otherwise the first."""

    def chosen(request: Any) -> Any:
        return excview if getattr(request, "exception", None) else view

    def wrapper_view(context: Any, request: Any) -> Any:
        return chosen(request)(context, request)

    def method(name: str) -> Any:
        def call(context: Any, request: Any) -> Any:
            function = getattr(chosen(request), name, None)
            return None if function is None else function(context, request)

        return call

    made: Any = wrapper_view
    made.__wraps__ = made
    made.__original_view__ = getattr(view, "__original_view__", view)
    made.__module__, made.__doc__, made.__name__ = view.__module__, view.__doc__, view.__name__
    made.__accept__ = getattr(view, "__accept__", None)
    made.__order__ = getattr(view, "__order__", MAX_ORDER)
    made.__phash__ = getattr(view, "__phash__", DEFAULT_PHASH)
    made.__view_attr__ = getattr(view, "__view_attr__", None)
    made.__permission__ = getattr(view, "__permission__", None)
    for name in ("__call_permissive__", "__permitted__", "__predicated__", "__predicates__"):
        setattr(made, name, method(name))
    return wrapper_view


def isexception(o: Any) -> bool:
    """Return True for an exception, an exception class, or an interface of exceptions."""
    if IInterface.providedBy(o) and IException.isEqualOrExtendedBy(o):
        return True
    return isinstance(o, Exception) or (isclass(o) and issubclass(o, Exception))


def viewdefaults(wrapped: Any) -> Any:
    """Return a directive whose keyword defaults come from ``view_defaults`` on the view's class."""

    @wraps(wrapped)
    def wrapper(self: Any, *args: Any, **kw: Any) -> Any:
        view = self.maybe_dotted(args[0] if args else kw.get("view"))
        defaults = dict(getattr(view, "__view_defaults__", {})) if isclass(view) else {}
        kw.setdefault("_backframes", 1)
        return wrapped(self, *args, **defaults | kw)

    return wrapper


def combine_decorators(*decorators: Any) -> Any:
    """Combine decorators into one, which applies the last of them first."""

    def decorated(view: Any) -> Any:
        for decorator in reversed(decorators):
            view = decorator(view)
        return view

    return decorated
