"""Documents say what random handlers answer, or that they don't know it: a few of them here.

``python -m tests.random_handlers`` holds as many to their documents as it is told.
"""

import time
import weakref
from pathlib import Path

import pytest

from antiphon.testing.pairs.trials import shrunk
from tests.helpers.rows import rows
from tests.random_handlers.checking import Lie, Sent, lies_in, untold_parameters
from tests.random_handlers.making import HEADER, Input, Program, program_of
from tests.random_handlers.running import _no_longer_than, _TooLongError, result_of
from tests.random_handlers.shrinking import as_text, shorter

pytestmark = pytest.mark.once
SEEDS = range(200)


def test_no_document_lies(tmp_path: Path) -> None:
    lies = {seed: result_of(program_of(seed), tmp_path).lies for seed in SEEDS}
    assert {seed: found for seed, found in lies.items() if found} == {}


def test_a_seed_always_makes_the_same_program() -> None:
    assert program_of(3) == program_of(3)
    assert program_of(3) != program_of(4)


OPERATION = {
    "parameters": [{"in": "query", "name": "told", "required": False}],
    "responses": {
        "200": {
            "content": {
                "application/json": {"schema": {"type": "object", "properties": {"a": {"type": "integer"}}}},
                "text/plain": {},
            }
        },
        "204": {},
    },
}

ANSWERS = [
    (200, "application/json", b'{"a": 1}', None),
    (200, "text/plain", b"a", None),
    (204, "", b"", None),
    (500, "application/problem+json", b"{}", None),
    (404, "text/plain", b"a", "status"),
    (200, "text/html", b"a", "media"),
    (204, "text/plain", b"a", "media"),
    (200, "application/json", b'{"a": "1"}', "body"),
    (200, "application/json", b'{"b": 1}', "body"),
    (200, "application/json", b"{", "body"),
]


@rows("status, media, body, kind", ANSWERS)
def test_an_answer_is_held_to_the_document(status: int, media: str, body: bytes, kind: str | None) -> None:
    found = lies_in({}, OPERATION, [Sent((), status, media, body)])
    assert [each.kind for each in found] == ([] if kind is None else [kind])


@rows("name, found", [("told", 0), ("untold", 1)])
def test_a_parameter_that_changes_the_answer_is_held_to_the_document(name: str, found: int) -> None:
    sent = [Sent((value,), status, "", b"") for value, status in ((None, 200), ("a", 204))]
    assert len([*untold_parameters(OPERATION, [("query", name)], sent)]) == found


HIDDEN = """
@app.get("/h")
def h(request: Request):
    kept = {"a": 1}
    if request.args.get("q1"):
        exec("abort(409)")
    return kept
"""


def test_what_lies_is_found_and_shown_in_the_shortest_program(tmp_path: Path) -> None:
    inputs = (Input("query", "q1", (None, "a")),)
    program = Program(HEADER + HIDDEN.replace("return kept", "return kept, 201"), "GET", inputs)
    document = {"responses": {"201": {"content": {"application/json": {}}}}}

    def lies(other: Program) -> bool:
        sent = [Sent((), 409 if "abort(409)" in other.source else 201, "application/json", b"{}")]
        return [*lies_in({}, document, sent)] == [Lie("status", "statuses 201", "409")]

    shortest = as_text(shrunk(program, shorter, lies))
    assert "abort(409)" in shortest
    assert "kept" not in shortest
    assert result_of(program, tmp_path).answered == 2


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_program_ends_also_if_a_callback_has_swallowed_the_first_error() -> None:
    def wait(_: object) -> None:
        time.sleep(60)

    with pytest.raises(_TooLongError), _no_longer_than(0.25):  # pytest has to note the first error before the second
        wait(weakref.ref(frozenset([wait]), wait))
