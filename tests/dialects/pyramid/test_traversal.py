"""Resources by their paths, and paths of resources, beside Pyramid."""

from hypothesis import given
from hypothesis import strategies as st
from zope.interface import Interface, alsoProvides

from tests.dialects.pyramid.beside import DIALECT, PYRAMID, Package
from tests.helpers.rows import rows

OURS, THEIRS = Package(DIALECT), Package(PYRAMID)


class Named(Interface):
    """What some resources provide."""


class Page:
    """A resource that holds others."""

    def __init__(self, name=None, parent=None):
        self.__name__, self.__parent__ = name, parent
        self.items = {}

    def __getitem__(self, name):
        return self.items[name]

    def add(self, name, kind=None):
        made = self.items[name] = (kind or Page)(name, self)
        return made

    def __repr__(self):
        return f"<{type(self).__name__} {self.__name__}>"


class Leaf:
    """A resource that holds none."""

    def __init__(self, name, parent):
        self.__name__, self.__parent__ = name, parent

    def __repr__(self):
        return f"<Leaf {self.__name__}>"


ROOT = Page()
SHOP = ROOT.add("shop")
BOOKS = SHOP.add("bücher & mehr")
LEAF = BOOKS.add("leaf", Leaf)
alsoProvides(SHOP, Named)
RESOURCES = {"root": ROOT, "shop": SHOP, "books": BOOKS, "leaf": LEAF}


def outcome(function, *args, **kw):
    """The result, or the exception, in terms that both packages share."""
    try:
        return function(*args, **kw)
    except Exception as error:
        return type(error).__name__, str(error)


def alike(ask):
    assert ask(OURS) == ask(THEIRS)


PATHS = [
    "", "/", "shop", "/shop", "/shop/", "shop/b%C3%BCcher%20&%20mehr", "/shop/b%C3%BCcher%20&%20mehr/leaf",
    "/shop/missing", "/shop/missing/more", "shop/../shop", "/../shop", "./shop", "//shop//", "/@@view",
    "/shop/@@view/x/y",
    "/shop/b%C3%BCcher%20&%20mehr/leaf/view/a", "bücher", "/%FF", (), ("",), ("", "shop"), ("shop",), ["shop"],
    ("", "shop", "bücher & mehr"), ("", "a?b"), ("leaf",), ("shop", "", "bücher & mehr"), ("..", "shop"), "leaf",
]  # fmt: skip


@rows("path", PATHS, ids=str)
@rows("start", RESOURCES)
def test_resources_are_found_as_in_pyramid(start, path):
    resource = RESOURCES[start]
    alike(lambda p: outcome(p.traversal.traverse, resource, path))
    alike(lambda p: outcome(p.traversal.find_resource, resource, path))


@rows("start", RESOURCES)
def test_resources_have_the_paths_of_the_original(start):
    resource = RESOURCES[start]
    for elements in ((), ("a",), ("ä/b", "c d"), ("", ""), (1, b"\xc3\xa4")):
        alike(lambda p, elements=elements: p.traversal.resource_path_tuple(resource, *elements))
        alike(lambda p, elements=elements: p.traversal.resource_path(resource, *elements))
    alike(lambda p: [p.traversal.find_root(resource), [*p.location.lineage(resource)]])
    alike(lambda p: [p.location.inside(resource, other) for other in RESOURCES.values()])
    alike(lambda p: [p.traversal.find_interface(resource, kind) for kind in (Named, Leaf, Page, Interface, int)])


@given(st.text(alphabet="ab./%@ü \\~2F", max_size=20))
def test_paths_are_split_as_in_pyramid(path):
    alike(lambda p: outcome(p.traversal.split_path_info, path))
    alike(lambda p: outcome(p.traversal.traversal_path_info, path))
    alike(lambda p: outcome(p.traversal.traversal_path, path))
    alike(lambda p: outcome(p.traversal.quote_path_segment, path))


@rows("segment", ["a b", "ü", "/", "a@b:c", b"a\xc3\xa4", 12, None, "%"])
@rows("safe", [{}, {"safe": ""}, {"safe": "%"}])
def test_segments_are_quoted_as_in_pyramid(segment, safe):
    alike(lambda p: p.traversal.quote_path_segment(segment, **safe))


def request_for(p, path, virtual=None, matchdict=None):
    request = p.request.Request.blank("/", {"PATH_INFO": path})
    request.registry = p.registry.Registry("test")
    if virtual is not None:
        request.environ["HTTP_X_VHM_ROOT"] = virtual
    if matchdict is not None:
        request.matchdict = matchdict
    return request


@rows(
    "path, virtual, matchdict",
        ("/", None, None), ("/shop/x/y", None, None), ("/", "/shop", None), ("/shop", "/", None),
        ("/x", None, {}), ("/x", None, {"traverse": "shop/a/b"}), ("/x", None, {"traverse": ("shop", "a", "b")}),
        ("/x", None, {"traverse": "/shop", "subpath": "c/d"}), ("/x", None, {"subpath": ("c", "d")}),
        ("/x", None, {"traverse": ""}), ("/x", None, {"traverse": "shop", "subpath": ()}), ("/\xff", None, None),
        ("", None, None), ("/shop", "", None),
)  # fmt: skip
def test_requests_are_traversed_as_in_pyramid(path, virtual, matchdict):
    alike(lambda p: outcome(p.traversal.ResourceTreeTraverser(ROOT), request_for(p, path, virtual, matchdict)))


def test_no_path_leads_above_a_virtual_root():
    found = OURS.traversal.ResourceTreeTraverser(ROOT)(request_for(OURS, "/../a?b", "/shop"))
    assert (found["context"], found["view_name"]) == (SHOP, "a?b")


@rows("start", RESOURCES)
@rows("virtual", [None, "/", "/shop", "/shop/", "/other"])
def test_urls_of_resources_leave_out_the_virtual_root(start, virtual):
    def asked(p):
        request = request_for(p, "/", virtual)
        url = p.traversal.ResourceURL(RESOURCES[start], request)
        root = outcome(p.traversal.virtual_root, RESOURCES[start], request)
        request.root = "the root"
        names = ("physical_path", "virtual_path", "physical_path_tuple", "virtual_path_tuple")
        values = [getattr(url, name) for name in names]
        return values, root, outcome(p.traversal.virtual_root, RESOURCES[start], request)

    alike(asked)
