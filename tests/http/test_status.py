from http import HTTPStatus

import pytest

from antiphon.http.status import PHRASES, has_body, phrase, status_line

RENAMED_BY_RFC_9110 = {
    413: "Content Too Large",
    414: "URI Too Long",
    416: "Range Not Satisfiable",
    422: "Unprocessable Content",
}
CLIENT_CLOSED_REQUEST = 499
CODES = range(100, 600)


def oracle():
    return {status.value: status.phrase for status in HTTPStatus} | RENAMED_BY_RFC_9110


def test_phrases_are_the_registered_ones():
    expected = oracle() | {CLIENT_CLOSED_REQUEST: "Client Closed Request"}
    assert {code: words.casefold() for code, words in PHRASES.items()} == {
        code: words.casefold() for code, words in expected.items()
    }
    assert PHRASES[CLIENT_CLOSED_REQUEST] == "Client Closed Request"


def test_codes_are_listed_in_order():
    assert list(PHRASES) == sorted(PHRASES)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (200, "OK"),
        (404, "Not Found"),
        (418, "I'm a teapot"),
        (199, "Informational"),
        (299, "Success"),
        (306, "Redirection"),
        (420, "Client Error"),
        (599, "Server Error"),
        (600, "Unknown"),
        (0, "Unknown"),
        (-404, "Unknown"),
    ],
)
def test_an_unregistered_code_has_the_phrase_of_its_class(code, words):
    assert phrase(code) == words


def test_the_line_is_code_and_phrase():
    assert [status_line(code) for code in CODES] == [f"{code} {phrase(code)}" for code in CODES]
    phrases = "".join(map(phrase, CODES))
    assert phrases.isascii()
    assert phrases.isprintable()


def test_informational_no_content_and_not_modified_have_no_body():
    assert [code for code in CODES if not has_body(code)] == [*range(100, 200), 204, 304]
