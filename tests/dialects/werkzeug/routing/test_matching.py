"""Which rule a path leads to: by examples that Werkzeug and the dialect answer alike."""

import uuid

import pytest

from antiphon.dialects.werkzeug.routing import Map, Rule
from tests.dialects.werkzeug.routing.libraries import EITHER
from tests.dialects.werkzeug.routing.rule_sets import outcome
from tests.helpers.rows import rows

HOST = "http://example.com"
UUID = "12345678-1234-5678-1234-567812345678"

SHOP = (
    ("/", {}), ("/cart", {}), ("/orders/", {}), ("/orders/<int:id>", {}), ("/orders/latest", {}),
    ("/orders/<name>", {}), ("/orders/<int:id>/lines/<int(fixed_digits=3):line>", {}), ("/<path:page>", {}),
    ("/files/<path:name>/raw", {}), ("/files/<path:name>/", {}), ("/<lang>-<region>/home", {}),
    ("/v<int:major>.<int:minor>", {}), ("/price/<float:amount>", {}), ("/t/<float(signed=True):x>", {}),
    ("/is/<any(open, 'half shut'):state>", {}), ("/u/<uuid:id>", {}), ("/old/<int:id>", {"redirect_to": "orders/<id>"}),
    ("/lax", {"strict_slashes": False}), ("/lax/branch/", {"strict_slashes": False}),
    ("/code/<string(length=2):c>", {}), ("/code/<string(minlength=4, maxlength=5):c>", {}),
    ("/post", {"methods": ["POST"]}), ("/get", {"methods": ["get"]}), ("/ws", {"websocket": True}),
    ("/month/<int(min=1, max=12):m>", {}), ("/only-built", {"build_only": True}),
)  # fmt: skip


def shop(library, **options):
    return library.Map([library.Rule(text, endpoint=text, **kinds) for text, kinds in SHOP], **options)


@EITHER
@rows(
    "path, found",
    ("/", ("/", {})), ("", ("RequestRedirect", f"{HOST}/")), ("/cart", ("/cart", {})),
    ("/cart/", ("/<path:page>", {"page": "cart/"})),
    ("/orders", ("RequestRedirect", f"{HOST}/orders/")),
    ("/orders/", ("/orders/", {})),
    ("/orders/12", ("/orders/<int:id>", {"id": 12})),
    ("/orders/latest", ("/orders/latest", {})),
    ("/orders/-12", ("/orders/<name>", {"name": "-12"})),
    ("/orders/٣", ("/orders/<int:id>", {"id": 3})),
    ("//orders//12", ("/<path:page>", {"page": "orders//12"})),
    ("/orders/12/lines/007", ("/orders/<int:id>/lines/<int(fixed_digits=3):line>", {"id": 12, "line": 7})),
    ("/orders/12/lines/7", ("NotFound", None)),
    ("/a/b/c", ("/<path:page>", {"page": "a/b/c"})),
    ("/files/a/b/raw", ("/files/<path:name>/raw", {"name": "a/b"})),
    ("/files/a/b", ("RequestRedirect", f"{HOST}/files/a/b/")),
    ("/files/a/b/", ("/files/<path:name>/", {"name": "a/b"})),
    ("/de-at-x/home", ("/<lang>-<region>/home", {"lang": "de-at", "region": "x"})),
    ("/v3.11", ("/v<int:major>.<int:minor>", {"major": 3, "minor": 11})),
    ("/price/1.50", ("/price/<float:amount>", {"amount": 1.5})),
    ("/t/-1.5", ("/t/<float(signed=True):x>", {"x": -1.5})),
    ("/is/half shut", ("/is/<any(open, 'half shut'):state>", {"state": "half shut"})),
    (f"/u/{UUID}", ("/u/<uuid:id>", {"id": uuid.UUID(UUID)})),
    ("/old/7", ("RequestRedirect", f"{HOST}/orders/7")),
    ("/lax/", ("/lax", {})), ("/lax/branch", ("/lax/branch/", {})),
    ("/code/ab", ("/code/<string(length=2):c>", {"c": "ab"})),
    ("/code/abcd", ("/code/<string(minlength=4, maxlength=5):c>", {"c": "abcd"})),
    ("/month/13", ("NotFound", None)), ("/line\nend", ("NotFound", None)),
    ("/\nend", ("/<path:page>", {"page": "\nend"})),
)  # fmt: skip
def test_the_most_specific_rule_is_taken(library, path, found):
    assert outcome(lambda: shop(library).bind("example.com").match(path))[:2] == found


@EITHER
def test_a_redirect_to_a_function_gets_adapter_and_values(library):
    def target(adapter, number):
        return f"{adapter.default_method.lower()}/{number * 2}"

    map_ = library.Map([library.Rule("/x/<int:number>", redirect_to=target)])
    found = outcome(lambda: map_.bind("example.com", "/app").match("/x/4"))
    assert found[:2] == ("RequestRedirect", f"{HOST}/app/get/8")


@EITHER
def test_a_rule_with_the_values_as_defaults_is_the_canonical_one(library):
    rules = [
        library.Rule("/all/", endpoint="all", defaults={"page": 1}),
        library.Rule("/all/<int:page>", endpoint="all"),
        library.Rule("/all/<int:page>.html", endpoint="all", alias=True),
    ]
    adapter = library.Map(rules).bind("example.com")
    assert adapter.match("/all/") == ("all", {"page": 1})
    assert adapter.match("/all/2") == ("all", {"page": 2})
    assert outcome(lambda: adapter.match("/all/1"))[1] == f"{HOST}/all/"
    assert outcome(lambda: adapter.match("/all/2.html"))[1] == f"{HOST}/all/2"
    adapter.map.redirect_defaults = False
    assert adapter.match("/all/1") == ("all", {"page": 1})


@rows("rule", ["/<", "/<int(a:b>", "/<nothing:x>", "/<int(min=-1):x>", "/<a>/<a>", "/<string(minlength=x):y>", "x"])
def test_a_malformed_rule_is_an_error_when_it_is_added(rule):
    with pytest.raises((ValueError, LookupError)):
        Map([Rule(rule, endpoint="x")])


@EITHER
def test_methods_are_a_list_and_websockets_have_few(library):
    with pytest.raises(TypeError):
        library.Rule("/", methods="GET")
    with pytest.raises(ValueError, match="WebSocket"):
        library.Rule("/", methods=["POST"], websocket=True)


def test_a_number_of_more_digits_than_python_reads_is_not_found():
    adapter = Map([Rule("/<int:number>", endpoint="x")]).bind("example.com")
    assert outcome(lambda: adapter.match(f"/{'9' * 5000}"))[0] == "NotFound"
