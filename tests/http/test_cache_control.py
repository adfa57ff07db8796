import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.http.cache_control import MOST_SECONDS, CacheControl
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

SECONDS = ["max_age", "s_maxage", "max_stale", "min_fresh", "stale_while_revalidate", "stale_if_error"]
FLAGS = [
    "no_store", "no_transform", "only_if_cached", "public", "must_revalidate", "proxy_revalidate", "must_understand",
    "immutable",
]  # fmt: skip
FIELDS = ["no_cache", "private"]

seconds = st.integers(0, MOST_SECONDS)
field_names = st.text("abcxyz-_09", min_size=1, max_size=12)
keywords = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(SECONDS, seconds)
    | dict.fromkeys(FLAGS, st.booleans())
    | dict.fromkeys(FIELDS, st.booleans() | st.lists(field_names, min_size=1, max_size=4)),
)
arguments = st.none() | st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"))
extensions = st.dictionaries(st.text("xyz-", min_size=1), arguments, max_size=4)
headers = st.text(st.sampled_from('amxge-=," \\0159\t\0\x7fé€')) | st.lists(
    st.sampled_from(
        [
            "max-age=1", "max-age", 'Max-Age="7"', "no-cache", 'private="a, b"', "private=c", "no-store=1", "=", '"',
            "x=\\",
        ]
    )
).map(",".join)  # fmt: skip


@rows(
    "header, read",
    # RFC 9111
    ('private, community="UCI"', {"private": True, "extensions": {"community": "UCI"}}),
    ("max-age=3600, must-understand, no-store", {"max_age": 3600, "must_understand": True, "no_store": True}),
    ("max-age=3600, must-revalidate", {"max_age": 3600, "must_revalidate": True}),
    # RFC 5861
    ("max-age=600, stale-while-revalidate=30", {"max_age": 600, "stale_while_revalidate": 30}),
    ("max-age=600, stale-if-error=1200", {"max_age": 600, "stale_if_error": 1200}),
    # RFC 8246
    ("max-age=31536000, immutable", {"max_age": 31536000, "immutable": True}),
    # requests
    ("no-cache", {"no_cache": True}), ("max-age=0", {"max_age": 0}), ("max-stale", {"max_stale": MOST_SECONDS}),
    ("max-stale=30, min-fresh=20, only-if-cached", {"max_stale": 30, "min_fresh": 20, "only_if_cached": True}),
    # shared caches
    ("s-maxage=10, proxy-revalidate, public", {"s_maxage": 10, "proxy_revalidate": True, "public": True}),
    ('private="Set-Cookie, X-User", no-transform', {"private": ("set-cookie", "x-user"), "no_transform": True}),
    ('no-cache="set-cookie"', {"no_cache": ("set-cookie",)}),
    # either form of argument is understood, and any case
    ('MAX-AGE="60" , Public', {"max_age": 60, "public": True}),
    ("no-cache=Set-Cookie", {"no_cache": ("set-cookie",)}),
    ("max-age = 60", {"max_age": 60}), (r'max-age="\6\0"', {"max_age": 60}), ("\tmax-age=60\t;\t", {"max_age": 0}),
    (",, max-age=60 ,,", {"max_age": 60}),
    ('x="a, max-age=1", max-age=2', {"max_age": 2, "extensions": {"x": "a, max-age=1"}}),
    ("", {}), (None, {}),
)  # fmt: skip
def test_reads_directives(header, read):
    control = CacheControl.parse(header)
    nothing = dict.fromkeys(SECONDS) | dict.fromkeys(FLAGS + FIELDS, False) | {"extensions": {}}
    assert {name: getattr(control, name) for name in nothing} == nothing | read


@rows(
    "argument, number",
    ("=0", 0), ("=060", 60), ("=00000000000060", 60), ("=2147483647", 2**31 - 1), ("=2147483648", 2**31),
    ("=2147483649", 2**31), ("=99999999999", 2**31), ("=" + "9" * 5000, 2**31), ("=" + "0" * 5000 + "7", 7),
    ("", None), ("=", None), ('=""', None), ("=-1", None), ("=+1", None), ("=1.5", None), ("=1e3", None),
    ("=1_0", None), ("=0x10", None), ("=a", None), ("=60 s", None), ("=\u0663", None), ("=²", None), ('="60', None),
    ('="60"0', None), ('=6"0"', None), ("=60\0", None), ('="6\n0"', None),
)  # fmt: skip
def test_only_proper_seconds_count(argument, number):
    assert CacheControl.parse(f"max-age{argument}").max_age == (number or 0)
    assert CacheControl.parse(f"s-maxage{argument}").s_maxage == (number or 0)
    for name in ["min_fresh", "stale_while_revalidate", "stale_if_error"]:
        assert getattr(CacheControl.parse(name.replace("_", "-") + argument), name) == number
    if argument:
        assert CacheControl.parse(f"max-stale{argument}").max_stale == number


@rows(
    "header, fields",
    ('private=""', True), ("private=", True), ('private=", ,"', True), ('private="a b"', True),
    ('private="a, b@c"', True), ('private="a', True), ('private="a, B"', ("a", "b")),
    ('private="a", private="b"', ("a", "b")), ('private="a", private', True), ('private, private="a"', True),
    ('private="a", private=""', True),
)  # fmt: skip
def test_fields_that_are_in_doubt_are_all(header, fields):
    assert CacheControl.parse(header).private == fields
    assert CacheControl.parse(header.replace("private", "no-cache")).no_cache == fields


def test_the_first_of_a_repeated_directive_counts():
    control = CacheControl.parse("max-age=1, max-age=2, x=1, X=2, min-fresh=a, min-fresh=3")
    assert control.max_age == 1
    assert control.min_fresh is None
    assert control.directives == {"max-age": "1", "x": "1", "min-fresh": "a"}


@rows("header", ["no-store=0", "no-store=", 'no-store="', "no-store=a=b", 'no-store="a"b'])
def test_what_takes_no_argument_ignores_it(header):
    assert CacheControl.parse(header).no_store is True


@rows("header", ["=", "=60", "a b", "é", '"no-store"', "no store", "no-store;", "(x)=1", "\0", ";"])
def test_what_has_no_name_is_skipped(header):
    control = CacheControl.parse(f"{header}, public")
    assert control.directives == {"public": None}


@rows(
    "control, printed",
    (CacheControl(), ""),
    (CacheControl(max_age=60, public=True), "max-age=60, public"),
    (CacheControl(public=True, max_age=60), "public, max-age=60"),
    (CacheControl(max_age=None, public=False, no_cache=False, max_stale=False), ""),
    (CacheControl(max_age=0, no_cache=True), "max-age=0, no-cache"),
    (CacheControl(max_stale=True), "max-stale"),
    (CacheControl(max_stale=0), "max-stale=0"),
    (CacheControl(private=["Set-Cookie", "X-A"]), 'private="set-cookie, x-a"'),
    (CacheControl(no_cache=("a",), no_store=True), 'no-cache="a", no-store'),
    (CacheControl(s_maxage=MOST_SECONDS), "s-maxage=2147483648"),
    (CacheControl(extensions={"Community": "UCI", "x": None}), "community=UCI, x"),
    (CacheControl(immutable=True, extensions={"a": 'b "c"', "d": ""}), r'immutable, a="b \"c\"", d=""'),
    (CacheControl.parse(' Max-Age="60",private=a;,x="y" '), 'max-age=60, private="a;", x=y'),
)
def test_prints(control, printed):
    assert str(control) == printed
    assert CacheControl.parse(printed) == control
    assert repr(control) == f"CacheControl.parse({printed!r})"


BAD_DIRECTIVES = (
    [{name: value} for name in SECONDS for value in [-1, 1.0, "1", MOST_SECONDS + 1, float("nan"), b"1"]]
    + [{name: True} for name in SECONDS if name != "max_stale"]
    + [{name: value} for name in FLAGS for value in [1, 0, None, "yes", 60]]
    + [
        {name: value}
        for name in FIELDS
        for value in ["set-cookie", "", [], ["a b"], ["a", ""], [1], ["a\r\n"], None, 1]
    ]
    + [{"extensions": {name: None}} for name in ["", "a b", "a\n", "é", "max-age", "No-Store", "s-maxage"]]
    + [{"extensions": {"x": argument}} for argument in ["a\rb", "a\nb", "\0", "\x7f", "€", 1, b"a", True]]
)


@rows("build", [CacheControl, CacheControl().replace], ids=["constructor", "replace"])
def test_bad_values_cannot_be_built(build):
    for directives in BAD_DIRECTIVES:
        with pytest.raises(ValueError, match=r"True or False|whole number|fields|name|argument|extension"):
            pytest.fail(f"{directives} are accepted: {build(**directives)}")


def test_an_unknown_keyword_names_the_way_for_extensions():
    with pytest.raises(TypeError, match=r"'surrogate_control'.*extensions=\{'surrogate-control'"):
        CacheControl(surrogate_control=1)


def test_replace():
    control = CacheControl(max_age=60, public=True, extensions={"x": "1"})
    assert str(control.replace(max_age=30, no_transform=True)) == "max-age=30, public, x=1, no-transform"
    assert str(control.replace(max_age=None, public=False)) == "x=1"
    assert str(control.replace(extensions={**control.extensions, "y": None})) == "max-age=60, public, x=1, y"
    assert str(control.replace(extensions={})) == "max-age=60, public"
    assert control.replace() == control
    assert str(control) == "max-age=60, public, x=1"


def test_one_without_directives_is_false():
    assert not CacheControl.parse(" , ")
    assert CacheControl(max_age=0)


def test_directives_are_read_only():
    with pytest.raises(TypeError):
        CacheControl(public=True).directives["public"] = None
    control = CacheControl.parse("x=1")
    control.extensions["y"] = None
    assert control == CacheControl.parse("x=1")


@given(keywords, extensions)
def test_what_was_built_is_read_back(given_keywords, given_extensions):
    control = CacheControl(**given_keywords, extensions=given_extensions)
    printed = str(control)
    assert not any(character in printed for character in "\r\n\0")
    again = CacheControl.parse(printed)
    assert again == control
    assert list(again.directives) == list(control.directives)
    assert again.extensions == given_extensions
    for name, value in given_keywords.items():
        expected = MOST_SECONDS if name == "max_stale" and value is True else value
        assert getattr(again, name) == (tuple(expected) if isinstance(expected, list) else expected)


def test_only_the_first_directives_count():
    names = [f"x{number}" for number in range(5000)]
    assert list(CacheControl.parse(",".join(names)).directives) == names[:200]


def test_long_lists_of_fields_are_read():
    names = tuple([f"x-{number}" for number in range(5000)])
    assert CacheControl.parse(f'no-cache="{", ".join(names)}"').no_cache == names
