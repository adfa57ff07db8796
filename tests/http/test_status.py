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


def oracle():
    return {status.value: status.phrase for status in HTTPStatus} | RENAMED_BY_RFC_9110


@pytest.mark.parametrize(("code", "words"), PHRASES.items())
def test_phrases_are_the_registered_ones(code, words):
    if code == CLIENT_CLOSED_REQUEST:
        assert words == "Client Closed Request"
    else:
        assert oracle()[code].casefold() == words.casefold()


def test_no_registered_code_is_missing():
    assert oracle().keys() <= PHRASES.keys()


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


@pytest.mark.parametrize("code", range(100, 600))
def test_the_line_is_code_and_phrase(code):
    assert status_line(code) == f"{code} {phrase(code)}"
    number, space, words = status_line(code).partition(" ")
    assert (number, space) == (str(code), " ")
    assert words.isascii()
    assert words.isprintable()


@pytest.mark.parametrize("code", range(100, 600))
def test_informational_no_content_and_not_modified_have_no_body(code):
    assert has_body(code) == (code >= 200 and code not in (204, 304))
