"""The four headers of negotiation: read, matched, joined and set as WebOb does, or as RFC 9110 has it."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from webob import acceptparse as original

from antiphon.dialects.webob import acceptparse as dialect
from tests.dialects.werkzeug.in_step import outcome, same
from tests.helpers.rows import rows

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

WORDS = {
    "Accept": [
        "text/html", "TEXT/html", "text/*", "*/*", "*/html", "text", "text/html;level=1", "text/html; level=1",
        'text/html;a="b c";level=1', 'a/b;c=""', 'a/b;c="\\"d"', "text/*;level=1", "image/png", "*/*;a=b", "a/b/c", "*",
    ],
    "AcceptCharset": ["utf-8", "UTF-8", "iso-8859-1", "*", "a/b", "x"],
    "AcceptEncoding": ["gzip", "GZIP", "br", "identity", "*", "a b"],
    "AcceptLanguage": ["en", "EN", "en-US", "en_us", "en-GB", "de", "zh-Hant-x-y", "en-X", "*", "toolongtag"],
}  # fmt: skip
PROPERTIES = {
    name: f"{name.replace('A', 'a', 1).replace('C', '_c').replace('E', '_e').replace('L', '_l')}" for name in WORDS
}
weights = st.sampled_from(
    ["", "", ";q=0", "; q=0.5", " ;Q=0.30", ";q=1", ";q=1.000", ";q=.5", ";q=2", ";q=0;x", ';q=1;x=y;z="a,b"']
)


@st.composite
def headers(draw):
    name = draw(st.sampled_from(sorted(WORDS)))
    words = st.sampled_from(WORDS[name])
    element = st.builds("{}{}".format, words, weights)
    separators = st.sampled_from([", ", ",", " ,\t", ",,"])
    pieces = draw(st.lists(st.tuples(element, separators), max_size=4))
    header = "".join([text + separator for text, separator in pieces])
    header = header.rstrip(", \t") if draw(st.booleans()) else header
    return name, draw(st.sampled_from([header, header, header, None])), draw(st.lists(words, max_size=4)), draw(words)


def made(library, name, header):
    return getattr(library, f"create_{PROPERTIES[name]}_header")(header)


@settings(max_examples=5 * settings.default.max_examples)
@given(headers())
@example(("AcceptEncoding", "gzip", ["identity", "br"], "identity"))
@example(("AcceptEncoding", "*;q=0", ["identity", "gzip"], "identity"))
@example(("Accept", "", ["text/html"], "text/html"))
@example(("AcceptLanguage", "zh-Hant-x-y, de;q=0", ["zh-hant", "de"], "zh"))
def test_reads_and_matches_as_the_original(case):
    name, header, offers, offer = case
    theirs, ours = made(original, name, header), made(dialect, name, header)
    assert type(ours).__name__ == type(theirs).__name__
    looks = [
        lambda a: a.parsed,
        lambda a: a.header_value,
        bool,
        str,
        repr,
        list,
        lambda a: bool(offer in a) if ";" not in str(header) else None,
        lambda a: a.quality(offer) if ";" not in str(header) else None,
        lambda a: a.copy().header_value,
        lambda a: type(a)().header_value if "No" in type(a).__name__ else None,
    ]
    if name != "Accept":
        looks += [lambda a: a.best_match(offers), lambda a: a.best_match([(o, 0.5) for o in offers], "default")]
    if name == "AcceptLanguage":
        tags = [tag for tag in offers if tag != "*"]
        looks += [
            lambda a: a.basic_filtering(tags),
            lambda a: a.lookup(tags, default="none"),
            lambda a: a.lookup(tags, default_range="en-GB", default_tag="de", default=str),
            lambda a: a.lookup(tags, default=lambda: "called"),
            lambda a: a.lookup(tags),
            lambda a: a.lookup(tags, default_range="*", default_tag="x") if a else None,
        ]
    else:
        looks += [lambda a: a.acceptable_offers(offers)]
    if name == "Accept":
        looks += [lambda a: a.accept_html(), lambda a: a.accepts_html]
    for look in looks:
        same(outcome(look, theirs), outcome(look, ours))


@settings(max_examples=3 * settings.default.max_examples)
@given(
    headers(),
    st.sampled_from([None, "", "a/b", "gzip", "en;q=0.5", ["a/b", ("en", 0.5)], {"a/b": 1, "c/d": 0.5}, "??"]),
)
def test_joins_headers_with_each_other_and_with_values(case, value):
    name, header, offers, _ = case
    header = header or None  # the original joins an empty header to a malformed one
    theirs, ours = made(original, name, header), made(dialect, name, header)
    same(outcome(lambda: (theirs + value).header_value), outcome(lambda: (ours + value).header_value))
    same(outcome(lambda: (value + theirs).header_value), outcome(lambda: (value + ours).header_value))
    other = ", ".join(offers) or None
    with_theirs, with_ours = theirs + made(original, name, other), ours + made(dialect, name, other)
    assert (with_ours.header_value or "").strip(", ") == (with_theirs.header_value or "").strip(", ")
    assert type(with_ours).__name__ == type(with_theirs).__name__


class Bare:
    """The least that a property needs of a request."""

    def __init__(self, environ):
        self.environ = environ


@pytest.mark.feature("pyramid-015")
@rows("name", sorted(WORDS))
def test_is_a_property_of_the_request_that_can_be_set_and_deleted(name):
    key = f"HTTP_{PROPERTIES[name].upper()}"
    word = WORDS[name][0]
    Request = type("Request", (Bare,), {"accept": getattr(dialect, f"{PROPERTIES[name]}_property")()})
    request = Request({key: f"{word};q=0.5"})
    assert request.accept.parsed[0][:2] == (word, 0.5)
    request.accept = {word: 0.4}
    assert request.environ[key] == f"{word};q=0.4"
    request.accept += "*/*" if name == "Accept" else "*"
    assert request.environ[key].startswith(f"{word};q=0.4, *")
    request.accept = getattr(dialect, f"{name}InvalidHeader")("(")
    assert request.environ[key] == "("
    assert not request.accept
    request.accept = getattr(dialect, f"{name}NoHeader")()
    assert key not in request.environ
    del request.accept
    request.accept = None
    assert type(request.accept) is getattr(dialect, f"{name}NoHeader")


@rows("name", sorted(WORDS))
def test_a_header_is_copied_parsed_and_printed_from_any_value(name):
    header = f"{WORDS[name][0]};q=0.5, {WORDS[name][1]}"
    assert made(dialect, name, made(dialect, name, header)).header_value == header
    parse = [list(getattr(library, name).parse(header)) for library in (original, dialect)]
    assert parse[1] == parse[0]

    class Printed:
        def __str__(self):
            return header

    assert (made(dialect, name, None) + Printed()).header_value == header


def test_languages_are_offered_as_the_other_headers_have_it():
    offers = ["de", "en-GB", "en"]
    assert dialect.AcceptLanguage("en, de;q=0.5").acceptable_offers(offers) == [
        ("en-GB", 1.0),
        ("en", 1.0),
        ("de", 0.5),
    ]
    assert dialect.AcceptLanguage(None).acceptable_offers(offers) == [("de", 1.0), ("en-GB", 1.0), ("en", 1.0)]


def test_the_first_words_of_a_header_are_still_understood():
    # WebOb 1.8 gave Accept a new interface: what was written for 1.7 works here, without warnings (webob#356).
    accept = dialect.Accept("text/html, application/json;details=true;q=0.5")
    assert accept.best_match(["application/json", "text/html"]) == "text/html"
    assert accept.best_match(["application/json"]) == "application/json"  # webob#355
    assert accept.first_match(["image/png", "application/json"]) == "application/json"
    assert accept.first_match(["image/png", "image/gif"]) == "image/png"
    assert dialect.AcceptLanguage("de, en;q=0.5").best_matches() == ["de", "en"]
    assert dialect.AcceptLanguage("de, en;q=0.5").best_matches("en") == ["de", "en"]
    assert dialect.AcceptLanguage("de, en;q=0.5").best_matches("fr") == ["de", "en", "fr"]
    assert isinstance(dialect.Accept(None), dialect.NilAccept)
    assert dialect.NoAccept().best_match(["gzip"]) == "gzip"


def test_a_malformed_header_of_mime_accept_is_no_error():
    accept = dialect.MIMEAccept("text/html, nonsense")
    assert (list(accept), accept.parsed, accept.best_match(["a/b"]), accept.quality("a/b")) == ([], [], "a/b", 1.0)
    assert list(dialect.MIMEAccept.parse("nonsense")) == []
    accept = dialect.MIMEAccept("text/html") + "a/b;q=0.5"
    assert (str(accept), accept.parsed, "a/b" in accept) == (
        "text/html, a/b;q=0.5",
        [("text/html", 1.0), ("a/b", 0.5)],
        True,
    )
    assert str("c/d" + accept) == "c/d, text/html, a/b;q=0.5"
    assert str(accept + dialect.MIMEAccept("c/d")) == "text/html, a/b;q=0.5, c/d"
    assert accept.accept_html()
    assert accept.copy().acceptable_offers(["a/b"]) == [("a/b", 0.5)]
    assert repr(accept) == "<AcceptValidHeader ('text/html, a/b;q=0.5')>"


def test_reading_takes_linear_time():
    for header in [
        "a/b" + ";a=b" * 20000 + "(",
        'a/b;a="' + "\\a" * 20000,
        "," * 50000 + "(",
        "a" * 50000 + ";q=0" * 2,
    ]:
        for name in WORDS:
            made(dialect, name, header)
