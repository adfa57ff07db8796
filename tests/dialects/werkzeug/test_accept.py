"""Accept and its like: what is matched, by which item, and which is best, as Werkzeug has it."""

import copy
import pickle

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from werkzeug import datastructures as original

from antiphon.dialects.werkzeug import datastructures as dialect
from tests.dialects.werkzeug.in_step import outcome, same

WORDS = {
    "Accept": ["gzip", "GZIP", "br", "identity", "*", "x/y", ""],
    "MIMEAccept": [
        "text/html", "TEXT/html", "text/*", "*/*", "*/html", "text", "text/html;level=1", "text/html; level=1",
        "text/html;a=b;level=1", "text/html;level=1;a=b", "application/json", "application/xml", "application/*",
        "application/xhtml+xml", "text/*;level=1", "*/*;a=*", "a/b/c", "*", "",
    ],
    "LanguageAccept": ["en", "EN", "en-US", "en_us", "en-GB", "de", "de-CH-1996", "eng", "*", "zh-Hant", "zh_hant_TW"],
    "CharsetAccept": [
        "utf-8", "UTF8", "utf_8", "iso-8859-1", "latin1", "L1", "us-ascii", "ascii", "windows-1252", "cp1252", "*",
        "unknown", "UNKNOWN", "Shift_JIS", "sjis",
    ],
}  # fmt: skip
qualities = st.sampled_from([0, 0.0, 0.3, 0.5, 0.9, 1, 1.0])


@st.composite
def accepted(draw):
    name = draw(st.sampled_from(sorted(WORDS)))
    words = st.sampled_from(WORDS[name])
    return name, draw(st.lists(st.tuples(words, qualities), max_size=5)), draw(st.lists(words, max_size=4)), draw(words)


@settings(max_examples=10 * settings.default.max_examples)
@given(accepted())
@example(("CharsetAccept", [("utf-8", 0.7), ("*", 0.5)], ["ebcdic"], "unknown"))
@example(("MIMEAccept", [("text", 1)], ["text"], "text"))
@example(("MIMEAccept", [("text/html", 1), ("*/*", 0.5)], ["*/*", "text/*"], "*/*"))
@example(("LanguageAccept", [("en-GB", 0.5), ("en-US", 1)], ["en_AU", "en"], "en"))
def test_reads_as_the_original(case):
    name, listed, offers, offer = case
    theirs, ours = getattr(original, name)(listed), getattr(dialect, name)(listed)
    for look in [
        list, len, bool, str, repr, hash, lambda a: a.to_header(), lambda a: a.best, lambda a: a.provided,
        lambda a: list(a.values()), lambda a: list(reversed(a)), lambda a: a[0], lambda a: a[:2], lambda a: a[offer],
        lambda a: a.quality(offer), lambda a: offer in a, lambda a: a.find(offer), lambda a: a.index(offer),
        lambda a: a.find(("en", 1)), lambda a: a.index(("text/html", 1)), lambda a: a.best_match(offers),
        lambda a: a.best_match(offers, "default"), lambda a: a.best_match(offers, default="default"),
        lambda a: list(type(a)(a)), lambda a: a == type(a)(a), lambda a: a == list(a),
        lambda a: list(copy.deepcopy(a)), lambda a: [a.accept_html, a.accept_xhtml, a.accept_json],
        lambda a: a.append(("a", 1)), lambda a: a.sort(),
    ]:  # fmt: skip
        same(outcome(look, theirs), outcome(look, ours))


def test_offers_of_an_app_stay_in_memory_only_while_they_are_few():
    accept = dialect.Accept([("*", 1)])
    assert all(str(number) in accept for number in range(1000))


@pytest.mark.parametrize("name", ["ImmutableList"])
def test_immutable_lists_refuse_to_change(name):
    ours = getattr(dialect, name)([1, 2])
    for change in [
        lambda items: items.append(1),
        lambda items: items.extend([1]),
        lambda items: items.insert(0, 1),
        lambda items: items.pop(),
        lambda items: items.pop(0),
        lambda items: items.remove(1),
        lambda items: items.reverse(),
        lambda items: items.sort(key=str),
        lambda items: items.clear(),
        lambda items: items.__setitem__(0, 1),
        lambda items: items.__delitem__(0),
        lambda items: items.__iadd__([1]),
        lambda items: items.__imul__(2),
    ]:
        with pytest.raises(TypeError, match="'ImmutableList' objects are immutable"):
            change(ours)
    assert (ours, repr(ours), hash(ours)) == ([1, 2], "ImmutableList([1, 2])", hash(original.ImmutableList([1, 2])))
    assert type(pickle.loads(pickle.dumps(ours))) is dialect.ImmutableList
