"""Finding resources by path segments, and the paths to resources."""

from functools import lru_cache
from typing import Any
from urllib.parse import quote, unquote_to_bytes

from zope.interface import implementer
from zope.interface.interfaces import IInterface

from antiphon.dialects.pyramid.exceptions import URLDecodeError
from antiphon.dialects.pyramid.interfaces import VH_ROOT_KEY, IRequestFactory, IResourceURL, ITraverser
from antiphon.dialects.pyramid.location import lineage
from antiphon.dialects.pyramid.util import ascii_, is_nonstr_iter

PATH_SEGMENT_SAFE = "~!$&'()*+,;=:@"
PATH_SAFE = PATH_SEGMENT_SAFE + "/"

_ABSENT: Any = object()


def find_root(resource: Any) -> Any:
    return [resource, *lineage(resource)][-1]


def find_resource(resource: Any, path: Any) -> Any:
    """Return the resource at a path (text or a tuple of segments) relative to a resource. Raises KeyError."""
    found = traverse(resource, path)
    if found["view_name"]:
        raise KeyError(f"{found['context']!r} has no subelement {found['view_name']}")
    return found["context"]


find_model = find_resource


def find_interface(resource: Any, class_or_interface: Any) -> Any:
    """Return the first resource in a lineage that has the given class or interface, or None."""
    if IInterface.providedBy(class_or_interface):
        test = class_or_interface.providedBy
    else:

        def test(each: Any) -> bool:
            return isinstance(each, class_or_interface)

    return next((each for each in lineage(resource) if test(each)), None)


def resource_path(resource: Any, *elements: Any) -> str:
    """Return a resource's quoted path, optionally followed by further elements."""
    return _join_path_tuple(resource_path_tuple(resource, *elements))


model_path = resource_path


def resource_path_tuple(resource: Any, *elements: Any) -> tuple[Any, ...]:
    """Return the names from the root, which is "", to a resource, followed by any further elements."""
    names = [each.__name__ or "" for each in lineage(resource)]
    return (*reversed(names), *elements)


model_path_tuple = resource_path_tuple


def traverse(resource: Any, path: Any) -> dict[str, Any]:
    """Traverse a path (text or a tuple of segments) from a resource or its root, and return the result.

    Text must be quoted; segments must not be. Raises UnicodeEncodeError for text that is not ASCII.
    """
    from antiphon.dialects.pyramid.threadlocal import get_current_registry

    if is_nonstr_iter(path):
        path = _join_path_tuple(tuple(path)) if path else ""
    path = ascii_(path)
    if path[:1] == "/":
        resource = find_root(resource)
    registry = get_current_registry()
    request = _request_factory(registry).blank(path)
    request.registry = registry
    traverser = registry.queryAdapter(resource, ITraverser)
    found: dict[str, Any] = (ResourceTreeTraverser(resource) if traverser is None else traverser)(request)
    return found


def _request_factory(registry: Any) -> Any:
    from antiphon.dialects.pyramid.request import Request

    return registry.queryUtility(IRequestFactory, default=Request)


@lru_cache(1000)
def traversal_path(path: str) -> tuple[str, ...]:
    """Split a quoted path into segments. Raises URLDecodeError if they are not UTF-8."""
    raw = unquote_to_bytes(str(path.encode("ascii") if isinstance(path, str) else path, "ascii"))
    return traversal_path_info(raw.decode("latin-1"))


@lru_cache(1000)
def traversal_path_info(path: str) -> tuple[str, ...]:
    """Split a path that is encoded as in an environ. Raises URLDecodeError if it is not UTF-8."""
    return split_path_info(decode_path_info(path))


def decode_path_info(path: str) -> str:
    """Decode a path from an environ. Raises URLDecodeError if it is not UTF-8."""
    if path.isascii():
        return path
    try:
        return path.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError as error:
        raise URLDecodeError(error.encoding, error.object, error.start, error.end, error.reason) from None


@lru_cache(1000)
def split_path_info(path: str) -> tuple[str, ...]:
    """Split a path into segments. A segment `..` removes the one before it."""
    segments: list[str] = []
    for segment in path.strip("/").split("/"):
        if segment == "..":
            del segments[-1:]
        elif segment not in ("", "."):
            segments.append(segment)
    return tuple(segments)


@lru_cache(1000)
def _quoted(segment: str, safe: str) -> str:
    return quote(segment, safe)


def quote_path_segment(segment: Any, safe: str = PATH_SEGMENT_SAFE) -> str:
    if isinstance(segment, bytes):
        return quote(segment, safe)
    return _quoted(segment if segment.__class__ is str else str(segment), safe)


@lru_cache(1000)
def _join_path_tuple(tuple: tuple[Any, ...]) -> str:  # noqa: A002 - Pyramid's name
    return "/".join([quote_path_segment(x) for x in tuple]) or "/" if tuple and tuple != ("",) else "/"


@implementer(ITraverser)
class ResourceTreeTraverser:
    """A traverser that finds a request's context by following the items of resources from the root."""

    VH_ROOT_KEY = VH_ROOT_KEY
    VIEW_SELECTOR = "@@"

    def __init__(self, root: Any) -> None:
        self.root = root

    def __call__(self, request: Any) -> dict[str, Any]:
        """Return the context, view name, subpath, traversed segments and virtual root."""
        path, subpath = self._path_of(request)
        virtual = request.environ.get(self.VH_ROOT_KEY)
        root_names: tuple[str, ...] = ()
        if virtual:
            root_names = split_path_info(decode_path_info(virtual))
        names = (*root_names, *path)
        context, traversed, vroot, count = self.root, 0, self.root, len(root_names)
        view_name = ""
        for index, name in enumerate(names):
            if name[:2] == self.VIEW_SELECTOR:
                view_name = name[2:]
                break
            try:
                getitem = context.__getitem__
            except AttributeError:
                view_name = name
                break
            try:
                following = getitem(name)
            except KeyError:
                view_name = name
                break
            context, traversed = following, index + 1
            if traversed == count:
                vroot = context
        else:
            return self._found(context, "", subpath, names, vroot, root_names)
        return self._found(context, view_name, names[traversed + 1 :], names[:traversed], vroot, root_names)

    def _path_of(self, request: Any) -> tuple[tuple[str, ...], Any]:
        """Return the segments to traverse, and the route's subpath."""
        matchdict = request.matchdict
        if matchdict is None:
            try:
                return split_path_info(request.path_info), ()
            except KeyError:
                return (), ()
            except UnicodeDecodeError as error:
                raise URLDecodeError(error.encoding, error.object, error.start, error.end, error.reason) from None
        path, subpath = matchdict.get("traverse", ()), matchdict.get("subpath", ())
        return _segments(path), _segments(subpath)

    def _found(
        self, context: Any, view_name: str, subpath: Any, traversed: Any, vroot: Any, names: Any
    ) -> dict[str, Any]:
        return {
            "context": context,
            "view_name": view_name,
            "subpath": subpath,
            "traversed": traversed,
            "virtual_root": vroot,
            "virtual_root_path": names,
            "root": self.root,
        }


ModelGraphTraverser = ResourceTreeTraverser


def _segments(path: Any) -> tuple[str, ...]:
    return split_path_info(path) if isinstance(path, str) else tuple(path)


@implementer(IResourceURL)
class ResourceURL:
    """A resource's path, both from the root and from a request's virtual root."""

    VH_ROOT_KEY = VH_ROOT_KEY

    def __init__(self, resource: Any, request: Any) -> None:
        names = resource_path_tuple(resource)
        path = _join_path_tuple(names)
        if path != "/":
            path += "/"
            names = (*names, "")
        self.physical_path = self.virtual_path = path
        self.physical_path_tuple = self.virtual_path_tuple = names
        virtual = request.environ.get(self.VH_ROOT_KEY)
        if virtual:
            virtual = virtual.rstrip("/")
            if virtual and path.startswith(virtual):
                self.virtual_path_tuple = ("", *names[len(virtual.split("/")) :])
                self.virtual_path = path[len(virtual) :]


def virtual_root(resource: Any, request: Any) -> Any:
    from antiphon.dialects.pyramid.threadlocal import get_current_registry

    registry = getattr(request, "registry", None) or get_current_registry()
    adapter = registry.queryMultiAdapter((resource, request), IResourceURL) or ResourceURL(resource, request)
    rest = adapter.virtual_path
    path = adapter.physical_path
    if path != rest and path.endswith(rest):
        return find_resource(resource, path[: -len(rest)] or "/")
    root = getattr(request, "root", _ABSENT)
    return find_root(resource) if root is _ABSENT else root


def virtual_root_path_tuple(request: Any) -> tuple[str, ...]:
    """Return the names that lead to the virtual root."""
    return split_path_info(decode_path_info(request.environ.get(VH_ROOT_KEY, "")))


class DefaultRootFactory:
    """The default root, which has no items."""

    __parent__ = None
    __name__ = None

    def __init__(self, request: Any) -> None:
        pass
