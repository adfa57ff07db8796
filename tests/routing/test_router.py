from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.routing.router import Router
from tests.helpers.call_counting import count_calls
from tests.helpers.rows import rows


def route(*patterns):
    """A function that finds a path: its pattern and the parameters; None where there is nothing."""
    router = Router()
    for pattern in patterns:
        router.resource(pattern).methods["GET"] = pattern

    def find(path):
        if path in router.literal:
            return router.literal[path]["GET"], {}
        found = router.search(path)
        return found and (found[0]["GET"], found[1])

    return find


SITE = (
    "/", "/about", "/about/", "/users/me", "/users/<int:id>", "/users/<name>", "/users/<int:id>/posts",
    "/users/<name>/files/<file>", "/files/", "/<page>", "/deep/<a>/x/<b>/y",
)  # fmt: skip


@rows(
    "path, pattern, params",
    ("/", "/", {}),
    ("/about", "/about", {}),
    ("/about/", "/about/", {}),
    ("/users/me", "/users/me", {}),
    ("/users/5", "/users/<int:id>", {"id": 5}),
    ("/users/ann", "/users/<name>", {"name": "ann"}),
    ("/users/-5", "/users/<name>", {"name": "-5"}),
    ("/users/" + "9" * 20, "/users/<name>", {"name": "9" * 20}),
    ("/users/5/posts", "/users/<int:id>/posts", {"id": 5}),
    ("/users/5/files/a", "/users/<name>/files/<file>", {"name": "5", "file": "a"}),
    ("/users/me/files/a", "/users/<name>/files/<file>", {"name": "me", "file": "a"}),
    ("/other", "/<page>", {"page": "other"}),
    ("/users", "/<page>", {"page": "users"}),
    ("/café", "/<page>", {"page": "café"}),
    ("/<page>", "/<page>", {"page": "<page>"}),
    ("/deep/x/x/y/y", "/deep/<a>/x/<b>/y", {"a": "x", "b": "y"}),
)
def test_the_most_literal_path_is_found(path, pattern, params):
    found = route(*SITE)(path)
    assert found == (pattern, params)
    assert [type(value) for value in found[1].values()] == [type(value) for value in params.values()]


@rows(
    "path",
        "", "*", "about", "//", "//about", "/about//", "/users/", "/users//posts", "/users/ann/posts",
        "/users/5/posts/", "/users/5/", "/other/", "/About/", "/deep//x/b/y", "/deep/a/x/b", "/deep/a/x/b/y/z",
)  # fmt: skip
def test_nothing_else_is_found(path):
    assert route(*SITE)(path) is None


@rows(
    "patterns, path, wanted",
    (["/a/b/c", "/<x>/b/d"], "/a/b/d", ("/<x>/b/d", {"x": "a"})),
    (["/<int:a>/x", "/<b>/y"], "/1/y", ("/<b>/y", {"b": "1"})),
    (["/<int:a>/x", "/<b>/y"], "/1/x", ("/<int:a>/x", {"a": 1})),
    (["/<b>/<int:c>", "/<int:a>/<d>"], "/1/2", ("/<int:a>/<d>", {"a": 1, "d": "2"})),
    (["/a/<int:b>/c", "/<x>/<y>/<z>"], "/a/1/d", ("/<x>/<y>/<z>", {"x": "a", "y": "1", "z": "d"})),
    (["/a/<b>/<int:c>", "/a/<int:b>/x/y", "/<p>/<q>/<r>"], "/a/1/x", ("/<p>/<q>/<r>", {"p": "a", "q": "1", "r": "x"})),
)
def test_a_way_that_leads_nowhere_is_left_again(patterns, path, wanted):
    assert route(*patterns)(path) == wanted
    assert route(*reversed(patterns))(path) == wanted


def test_a_path_has_one_resource_however_it_is_asked_for():
    router = Router()
    assert router.resource("/a") is router.resource("/a")
    assert router.resource("/<int:a>") is router.resource("/<int:a>")
    assert router.resource("/<str:b>/x") is router.resource("/<b>/x")
    assert router.resource("/a") is not router.resource("/a/")
    assert len(router.resources) == 4


@rows("one, two", [("/<a>", "/<b>"), ("/<a>/x/<b>", "/<b>/x/<a>"), ("/<int:a>", "/<int:b>")])
def test_paths_that_differ_in_the_names_of_parameters_only_are_refused(one, two):
    router = Router()
    router.resource(one)
    with pytest.raises(ValueError, match="match the same paths") as refused:
        router.resource(two)
    assert one in str(refused.value)
    assert two in str(refused.value)


def test_the_parameters_of_one_request_are_not_those_of_the_next():
    find = route("/<a>/<b>")
    first = find("/1/2")[1]
    assert find("/3/4")[1] == {"a": "3", "b": "4"}
    assert first == {"a": "1", "b": "2"}


def test_the_steps_of_a_search_do_not_grow_with_the_routes():
    def steps(count):
        find = route(*(f"/r{number}/<int:id>/x{number}" for number in range(count)), "/<a>/<b>/<c>")
        return count_calls(find, f"/r{count - 1}/7/x{count - 1}") + count_calls(find, "/none/of/them")

    assert steps(1000) == steps(10)


segments = st.sampled_from(["a", "b", "1", "<x>", "<int:y>"])


@given(st.lists(st.lists(segments, min_size=1, max_size=4), max_size=8), st.lists(st.sampled_from("ab12"), max_size=4))
def test_it_finds_what_a_comparison_with_each_path_finds(paths, requested):
    patterns = []
    for path in paths:
        renamed = [s.replace("x", f"x{at}").replace("y", f"y{at}") for at, s in enumerate(path)]
        if "/" + "/".join(renamed) not in patterns:
            patterns.append("/" + "/".join(renamed))

    def rank(pattern, path):
        ranks = []
        for segment, value in zip(pattern.split("/"), path.split("/"), strict=True):
            if segment == value:
                ranks.append(0)
            elif segment.startswith("<int:") and value.isdecimal():
                ranks.append(1)
            elif segment.startswith("<x") and value:
                ranks.append(2)
            else:
                return None
        return ranks

    path = "/" + "/".join(requested)
    fits = [(rank(p, path), p) for p in patterns if p.count("/") == path.count("/")]
    best = min(((ranks, p) for ranks, p in fits if ranks is not None), default=None)
    found = route(*patterns)(path)
    assert (found and found[0]) == (best and best[1])


KINDS = ("/a", "/a<x>", "/<int(min=5):x>", "/<int:x>", "/<float:x>", "/<uuid:x>", "/<any(en,1.5,q):x>",
         "/<re(q[a-z]):x>", "/<x>", "/<path:x>")  # fmt: skip


@rows(
    "path, pattern",
    ("/a", "/a"),
    ("/ab", "/a<x>"),
    ("/7", "/<int(min=5):x>"),
    ("/1", "/<int:x>"),
    ("/1.5", "/<float:x>"),
    ("/12345678-1234-5678-1234-56789abcdef0", "/<uuid:x>"),
    ("/q", "/<any(en,1.5,q):x>"),
    ("/qq", "/<re(q[a-z]):x>"),
    ("/b", "/<x>"),
    ("/a/b", "/<path:x>"),
)
def test_the_more_particular_parameter_wins_in_whatever_order_they_come(path, pattern):
    assert route(*KINDS)(path)[0] == pattern
    assert route(*reversed(KINDS))(path)[0] == pattern


FILES = ("/files/<path:p>", "/files/<path:p>/edit", "/files/new", "/<path:a>/x/<path:b>", "/<lang>/<path:p>/<int:n>/")


@rows(
    "path, pattern, params",
    ("/files/a", "/files/<path:p>", {"p": "a"}),
    ("/files/a/b/", "/files/<path:p>", {"p": "a/b/"}),
    ("/files/a/edit", "/files/<path:p>/edit", {"p": "a"}),
    ("/files/a/edit/edit", "/files/<path:p>/edit", {"p": "a/edit"}),
    ("/files/a/edit/", "/files/<path:p>", {"p": "a/edit/"}),
    ("/files/edit", "/files/<path:p>", {"p": "edit"}),
    ("/files/new/edit", "/files/<path:p>/edit", {"p": "new"}),
    ("/1/x/2/x/3", "/<path:a>/x/<path:b>", {"a": "1/x/2", "b": "3"}),
    ("/1/x", None, None),
    ("/en/a/b/5/", "/<lang>/<path:p>/<int:n>/", {"lang": "en", "p": "a/b", "n": 5}),
    ("/files//etc/passwd", None, None),
    ("/files/", None, None),
)
def test_a_path_takes_as_many_segments_as_it_can(path, pattern, params):
    for find in (route(*FILES), route(*reversed(FILES))):
        assert find(path) == (pattern and (pattern, params))


def test_the_parameters_in_one_segment_are_found_by_name():
    find = route("/<a>/<name>.<ext>/<b>", "/<year>-<month>/<c>")
    assert find("/1/x.y.z/2") == ("/<a>/<name>.<ext>/<b>", {"a": "1", "name": "x.y", "ext": "z", "b": "2"})
    assert find("/2026-11/x") == ("/<year>-<month>/<c>", {"year": "2026", "month": "11", "c": "x"})


def test_more_text_in_a_segment_wins_over_less():
    patterns = ["/<a>.<b>", "/<a>.html", "/x<a>.html", "/<a>"]
    for find in (route(*patterns), route(*reversed(patterns))):
        assert [find(f"/{path}")[0] for path in ("y.css", "y.html", "xy.html", "y")] == patterns


def test_hosts_are_searched_first_and_backwards():
    router = Router()
    for host in ("api.example.com", "<tenant>.example.com", "<a>.<b>.example.com", None):
        router.resource("/", host).methods["GET"] = host
    router.resource("/x/<y>", "<tenant>.example.com").methods["GET"] = "x"
    router.resource("/shared").methods["GET"] = "shared"

    def find(host, path="/"):
        found = router.search(path, None, host)
        return found and (found[0]["GET"], found[1])

    assert router.literal == {}
    assert find("api.example.com") == ("api.example.com", {})
    assert find("api.example.com.") == ("api.example.com", {})
    assert find("ann.example.com") == ("<tenant>.example.com", {"tenant": "ann"})
    assert find("x.y.example.com") == ("<a>.<b>.example.com", {"a": "x", "b": "y"})
    assert find("api.example.com", "/x/1") == ("x", {"tenant": "api", "y": "1"})
    for other in ("example.com", "a.b.c.example.com", "localhost", "", ".", "..example.com"):
        assert find(other) == (None, {})
        assert find(other, "/x/1") is None
    assert find("api.example.com", "/shared") == ("shared", {})


@rows(
    "patterns",
    ["/<path:a>/x/<path:b>/x/<path:c>/x/<path:d>/y"],
    ["/<path:a>/<path:b>/<path:c>/<path:d>/y"],
    ["".join(f"/<{kind}{at}>" for at, kind in enumerate(kinds)) for kinds in product(["int:a", "b"], repeat=8)],
    ids=["paths between text", "paths", "every mixture of kinds"],
)
@rows("segment", ["x", "1"])
def test_the_steps_of_a_hostile_search_are_bounded_by_places_times_segments(patterns, segment):
    router = Router()
    for pattern in patterns:
        router.resource(pattern)
    places = 1 + sum(pattern.count("/") for pattern in patterns)

    for length in (7, 50, 400):
        path = f"/{segment}" * length + "/nowhere/"
        assert router.search(path) is None
        assert count_calls(router.search, path, events=["call"]) <= 4 * places * (length + 2)
