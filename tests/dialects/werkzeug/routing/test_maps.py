"""Building URLs, binding maps and making rules of rules: by examples that Werkzeug and the dialect answer alike."""

import pytest
import werkzeug.datastructures
import werkzeug.routing

from antiphon.dialects.werkzeug import datastructures, routing
from antiphon.dialects.werkzeug.routing import Map, Rule, parse_rule
from tests.dialects.werkzeug.routing.libraries import EITHER
from tests.dialects.werkzeug.routing.rule_sets import outcome
from tests.helpers.rows import rows


def blog(library, **options):
    rules = [
        library.Rule("/", endpoint="index"),
        library.Rule("/posts/", endpoint="posts", defaults={"page": 1}),
        library.Rule("/posts/page/<int:page>", endpoint="posts"),
        library.Rule("/posts/<slug>", endpoint="post", methods=["GET"]),
        library.Rule("/posts/<slug>/edit", endpoint="post", methods=["POST"]),
        library.Rule("/files/<path:name>", endpoint="f", methods=["LINK"]),
        library.Rule("/100% ä/<a>.<int(fixed_digits=3):b>", endpoint="odd"),
        library.Rule("/live", endpoint="live", websocket=True),
        library.Rule("/at", endpoint="at", subdomain="<user>.home"),
        library.Rule("/is/<any(a, b):x>", endpoint="any"),
    ]
    return library.Map(rules, **options)


@rows("name", sorted(werkzeug.routing.Map.default_converters))
def test_a_converter_has_the_rank_and_the_pattern_of_the_original(name):
    theirs, ours = werkzeug.routing.Map.default_converters[name], Map.default_converters[name]
    for attribute in ("weight", "regex", "part_isolating"):
        assert getattr(ours, attribute) == getattr(theirs, attribute)


@EITHER
@rows(
    "endpoint, values, options, url",
    ("index", None, {}, "/app/"),
    ("index", {"q": "a b&ä", "r": [1, 2], "s": None}, {}, "/app/?q=a+b%26%C3%A4&r=1&r=2"),
    ("index", {"q": 1}, {"append_unknown": False}, "/app/"),
    ("posts", {}, {}, "/app/posts/"), ("posts", {"page": 1}, {}, "/app/posts/"),
    ("posts", {"page": 2}, {}, "/app/posts/page/2"), ("posts", {"page": "3"}, {}, "/app/posts/page/3"),
    ("post", {"slug": "ä/b?"}, {}, "/app/posts/%C3%A4/b%3F"),
    ("post", {"slug": "a"}, {"method": "POST"}, "/app/posts/a/edit"),
    ("post", {"slug": "a"}, {"force_external": True}, "http://example.com/app/posts/a"),
    ("post", {"slug": "a"}, {"force_external": True, "url_scheme": "https"}, "https://example.com/app/posts/a"),
    ("post", {"slug": "a"}, {"force_external": True, "url_scheme": ""}, "//example.com/app/posts/a"),
    ("f", {"name": "/a//b"}, {}, "/app/files//a//b"),
    ("odd", {"a": "%", "b": 7}, {}, "/app/100%25%20%C3%A4/%25.007"),
    ("live", {}, {}, "ws://example.com/app/live"),
    ("live", {}, {"url_scheme": "https"}, "wss://example.com/app/live"),
    ("at", {"user": "ann"}, {}, "http://ann.home.example.com/app/at"),
    ("any", {"x": "c"}, {}, ("ValueError", None, None)), ("post", {}, {}, ("BuildError", None, None)),
    ("nothing", {}, {}, ("BuildError", None, None)),
    ("posts", {"page": "x"}, {}, ("ValueError", None, None)),
)  # fmt: skip
def test_an_endpoint_is_built_with_its_values(library, endpoint, values, options, url):
    adapter = blog(library).bind("example.com", "/app")
    assert outcome(lambda: adapter.build(endpoint, values, **options)) == url


@rows("kinds", [werkzeug.datastructures, datastructures], ids=["werkzeug", "antiphon"])
def test_values_may_be_a_multidict(kinds):
    library = werkzeug.routing if kinds is werkzeug.datastructures else routing
    values = kinds.MultiDict([("slug", "a"), ("q", "1"), ("q", "2")])
    assert blog(library).bind("example.com").build("post", values) == "/posts/a?q=1&q=2"


@EITHER
@rows(
    "endpoint, values, method, message",
    ("indx", {}, None, "Could not build url for endpoint 'indx'. Did you mean 'index' instead?"),
    (
        "post",
        {"a": 1},
        None,
        "Could not build url for endpoint 'post' with values ['a']. Did you forget to specify values ['slug']?",
    ),
    ("f", {}, "LINK", "Could not build url for endpoint 'f' ('LINK'). Did you forget to specify values ['name']?"),
    (
        "f",
        {"name": "a"},
        "PUT",
        "Could not build url for endpoint 'f' ('PUT') with values ['name']. Did you mean to use methods ['LINK']?",
    ),
)
def test_an_error_says_what_may_be_meant(library, endpoint, values, method, message):
    with pytest.raises(library.BuildError) as caught:
        blog(library).bind("example.com").build(endpoint, values, method)
    assert str(caught.value) == message
    assert isinstance(caught.value, LookupError)


@EITHER
def test_rules_are_made_of_rules(library):
    page = library.RuleTemplate(
        [library.Rule("/$kind/<id>", endpoint="$kind.show", defaults={"of": "$kind"}, subdomain="$kind")]
    )
    map_ = library.Map(
        [
            library.Subdomain("<lang>", [library.Submount("/shop/", [library.Rule("/", endpoint="shop")])]),
            library.EndpointPrefix("blog.", [library.Submount("/blog", [library.Rule("/<slug>", endpoint="show")])]),
            page(kind="user"),
        ]
    )
    shop, show, user = map_.iter_rules()
    assert (shop.rule, shop.subdomain, show.rule, show.endpoint) == ("/shop/", "<lang>", "/blog/<slug>", "blog.show")
    assert (user.rule, user.endpoint, user.defaults, user.subdomain) == (
        "/user/<id>",
        "user.show",
        {"of": "user"},
        "user",
    )
    assert map_.bind("example.com", subdomain="de").match("/shop/") == ("shop", {"lang": "de"})
    assert map_.is_endpoint_expecting("user.show", "id", "of")
    assert not map_.is_endpoint_expecting("user.show", "nothing")


@EITHER
def test_a_rule_is_copied_unbound(library):
    class Named(library.Rule):
        def __init__(self, *arguments, label="", **options):
            super().__init__(*arguments, **options)
            self.label = label

        def get_empty_kwargs(self):
            return {**super().get_empty_kwargs(), "label": self.label}

    rule = Named("/x/<a>", endpoint="x", methods=["GET"], defaults={"b": 1}, label="mine")
    library.Map([rule])
    copy = rule.empty()
    assert copy.map is None
    assert (copy.label, copy.methods, copy.defaults) == ("mine", {"GET", "HEAD"}, {"b": 1})
    assert copy != rule
    library.Map([copy])
    assert copy == rule
    with pytest.raises(RuntimeError, match="already bound"):
        library.Map([rule])


@EITHER
def test_a_rule_shows_itself(library):
    rule = library.Rule("/x/<int:a>", endpoint="x", methods=["POST"], subdomain="s")
    assert repr(rule) == "<Rule (unbound)>"
    map_ = library.Map([rule])
    assert (str(rule), repr(rule)) == ("/x/<int:a>", "<Rule 's|/x/<a>' (POST) -> x>")
    assert repr(map_) == "Map([<Rule 's|/x/<a>' (POST) -> x>])"


@EITHER
def test_another_host_is_on_no_subdomain(library):
    environ = {"REQUEST_METHOD": "GET", "wsgi.url_scheme": "http", "HTTP_HOST": "other.org", "PATH_INFO": "/"}
    map_ = library.Map([library.Rule("/", endpoint="x")])
    with pytest.warns(UserWarning, match="'other.org' doesn't match configured server name 'example.com'"):
        adapter = map_.bind_to_environ(environ, "example.com")
    assert adapter.subdomain == "<invalid>"
    assert not adapter.test()


@EITHER
@rows("host, bound", [("Bücher.example:80", "xn--bcher-kva.example:80"), ("EXAMPLE.com", "example.com")])
def test_a_host_is_bound_in_ascii(library, host, bound):
    assert library.Map().bind(host).server_name == bound
    assert outcome(lambda: library.Map().bind(f"a..{host}"))[0] == "BadHost"


@EITHER
def test_hosts_can_be_matched_whole(library):
    rules = [
        library.Rule("/", endpoint="x", host="a.example"),
        library.Rule("/", endpoint="x", host="b.example"),
        library.Rule("/", endpoint="any", host="<name>.org"),
    ]
    map_ = library.Map(rules, host_matching=True)
    adapter = map_.bind("b.example")
    assert adapter.match("/") == ("x", {})
    assert adapter.build("x") == "/"
    assert adapter.build("any", {"name": "n"}) == "http://n.org/"
    assert map_.bind("n.org").match("/") == ("any", {"name": "n"})
    assert map_.bind("c.example").build("x") == "http://a.example/"
    with pytest.raises(RuntimeError):
        map_.bind("a.example", subdomain="x")


@EITHER
def test_an_adapter_dispatches(library):
    adapter = blog(library).bind("example.com")
    assert adapter.dispatch(lambda endpoint, values: (endpoint, values), "/posts/x") == ("post", {"slug": "x"})
    assert adapter.dispatch(lambda *_: None, "/posts").new_url == "http://example.com/posts/"
    assert adapter.dispatch(lambda *_: None, "/no", catch_http_exceptions=True).code == 404
    assert outcome(lambda: adapter.dispatch(lambda *_: None, "/no"))[0] == "NotFound"


def test_a_changed_rule_is_refreshed():
    rule = Rule("/a", endpoint="x")
    adapter = Map([rule]).bind("example.com")
    assert adapter.build("x") == "/a"
    rule.rule = "/b"
    rule.refresh()
    assert adapter.build("x") == "/b"


def test_urls_are_utf_8():
    assert Map(charset="utf-8", encoding_errors="replace").bind("example.com").server_name == "example.com"
    with pytest.raises(NotImplementedError):
        Map(charset="latin-1")


def test_a_rule_is_taken_apart_as_before_2_2():
    assert list(parse_rule("/a/<b>-<int(min=1):c>.x")) == [
        (None, None, "/a/"), ("default", None, "b"), (None, None, "-"), ("int", "min=1", "c"), (None, None, ".x"),
    ]  # fmt: skip
    with pytest.raises(ValueError, match="used twice"):
        list(parse_rule("/<a>/<a>"))


@EITHER
def test_an_adapter_tells_what_matches(library):
    adapter = blog(library).bind("example.com")
    assert [adapter.test(path) for path in ("/", "/posts", "/nowhere")] == [True, True, False]
    assert [sorted(adapter.allowed_methods(path)) for path in ("/files/a", "/", "/nowhere")] == [["LINK"], [], []]
    assert adapter.make_redirect_url("/a") == "http://example.com/a"


@EITHER
def test_an_alias_leads_to_its_rule(library):
    rules = [library.Rule("/a", endpoint="e"), library.Rule("/b", endpoint="e", alias=True)]
    adapter = library.Map(rules).bind("example.com")
    with pytest.raises(library.RequestRedirect) as raised:
        adapter.match("/b", query_args={"q": 1})
    assert raised.value.new_url == "http://example.com/a?q=1"


@EITHER
def test_an_alias_of_nothing_is_a_mistake(library):
    adapter = library.Map([library.Rule("/b", endpoint="e", alias=True)]).bind("example.com")
    with pytest.raises(AssertionError, match="alias"):
        adapter.make_alias_redirect_url("http://example.com/b", "e", {}, "GET", {})


@EITHER
def test_a_rule_of_a_class_of_its_own_is_built_by_it(library):
    class Own(library.Rule):
        def build(self, values, append_unknown=True):
            return super().build({**values, "x": "added"}, append_unknown)

    adapter = library.Map([Own("/<any(a, b):n>", endpoint="e"), Own("/n/<int:i>", endpoint="n")]).bind("example.com")
    assert adapter.build("e", {"n": "a"}) == "/a?x=added"
    assert adapter.build("n", {"i": 5}, append_unknown=False) == "/n/5"


@EITHER
def test_converters_that_refuse(library):
    class Even(library.BaseConverter):
        def to_url(self, value):
            if value % 2:
                raise library.ValidationError
            return super().to_url(value)

    class Own(library.Rule):
        def build(self, values, append_unknown=True):
            return super().build(values, append_unknown)

    for kind in (library.Rule, Own):
        rules = [kind("/<even:n>", endpoint="e"), kind("/odd/<n>", endpoint="e"), kind("/only/<even:n>", endpoint="o")]
        adapter = library.Map(rules, converters={"even": Even}).bind("example.com")
        assert [adapter.build("e", {"n": n}) for n in (1, 2)] == ["/odd/1", "/2"]
        with pytest.raises(library.BuildError):
            adapter.build("o", {"n": 1})
    assert library.BaseConverter(None).to_python("x") == "x"


@EITHER
def test_the_hint_of_an_error_without_rules(library):
    error = library.BuildError("e", {}, None)
    assert (error.suggested, str(error)) == (None, "Could not build url for endpoint 'e'.")


@EITHER
def test_slashes_may_be_merged_or_not_later(library):
    rules = library.Map([library.Rule("/a/b", endpoint="e")])
    rules.merge_slashes = False
    assert not rules.merge_slashes
    assert not rules.bind("example.com").test("/a//b")


@EITHER
def test_what_subclasses_have_to_say(library):
    with pytest.raises(NotImplementedError):
        list(library.RuleFactory().get_rules(None) or [])
