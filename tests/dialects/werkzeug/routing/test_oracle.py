"""Random maps and paths: the dialect matches, redirects, refuses and builds as Werkzeug does."""

import werkzeug.datastructures
import werkzeug.routing
from hypothesis import given
from hypothesis import strategies as st

from antiphon.dialects.werkzeug import routing
from tests.dialects.werkzeug.routing.rule_sets import PATHS, make, maps, outcome, paths_for

BOTH = (werkzeug.routing, routing)


def compare(rules, options, act):
    """Hold what both make of an action on a map against each other."""
    both = [outcome(lambda library=library: make(library, rules, options)) for library in BOTH]
    if isinstance(both[0], tuple):
        assert both[1] == both[0]
        return
    theirs, ours = [outcome(lambda map_=map_: act(map_)) for map_ in both]
    assert ours == theirs


@given(maps(), st.data(), st.sampled_from(("GET", "POST", "OPTIONS")), st.booleans())
def test_a_path_leads_to_the_same_endpoint_redirect_or_error(rule_set, data, method, websocket):
    path = data.draw(paths_for(rule_set) | PATHS)
    compare(*rule_set, lambda map_: map_.bind("example.com").match(path, method, websocket=websocket))


@given(maps(domains=("", "a", "<s>", "<any(a, b):s>.x")), st.data(), st.sampled_from(("", "a", "b.x", "c.x")))
def test_a_subdomain_is_matched_like_the_path(rule_set, data, subdomain):
    path = data.draw(paths_for(rule_set))
    compare(*rule_set, lambda map_: map_.bind("example.com", subdomain=subdomain).match(path))


VALUES = st.dictionaries(
    st.sampled_from("klmnq"),
    st.sampled_from((1, 12, "a", "ab", "c d", "ä/%?", 1.5, None, True, ["a", "b"], b"x", "7")),
    max_size=4,
)


@given(
    maps(),
    st.sampled_from("uvwxyz"),
    VALUES,
    st.fixed_dictionaries(
        {},
        optional={
            "method": st.sampled_from(("GET", "POST")),
            "force_external": st.booleans(),
            "append_unknown": st.booleans(),
            "url_scheme": st.sampled_from(("", "https", "wss")),
        },
    ),
    st.sampled_from((None, "/", "/app", "/app/")),
)
def test_an_endpoint_is_built_the_same(rule_set, endpoint, values, options, script_name):
    compare(*rule_set, lambda map_: map_.bind("example.com", script_name).build(endpoint, values, **options))
