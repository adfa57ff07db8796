"""Werkzeug and WebOb read the same in a header, or the standard is on our side."""

from tests.helpers.rows import rows
from tests.oracles.differences import DIFFERENCES
from tests.oracles.headers import HEADERS
from tests.oracles.readings import ANTIPHON, OTHERS, ask

LISTED = {
    (difference.question, difference.header): difference.answers
    for differences in DIFFERENCES.values()
    for difference in differences
}
ASKED = [(name, question) for question in HEADERS for name, library in OTHERS.items() if hasattr(library, question)]


@rows("name, question", ASKED)
def test_others_read_the_same_but_for_what_is_listed(name, question):
    headers, library = HEADERS[question], OTHERS[name]
    ours, theirs = ({header: ask(each, question, header) for header in headers} for each in (ANTIPHON, library))
    answers = {header: LISTED.get((question, header), {}) for header in headers}
    listed = {header: answers[header][name] for header in headers if name in answers[header]}
    assert theirs == ours | listed
    assert {header for header in headers if theirs[header] != ours[header]} == listed.keys()


def test_every_difference_is_about_a_header_that_is_asked_about():
    assert [key for key in LISTED if key[1] not in HEADERS[key[0]]] == []


def test_we_read_something_or_nothing_and_never_raise():
    for question, headers in HEADERS.items():
        for header in headers:
            assert not isinstance(ask(ANTIPHON, question, header), type)
