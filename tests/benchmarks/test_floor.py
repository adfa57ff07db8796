"""How many instructions requests may take, so that none gets slower unseen."""

import os
import platform

import pytest

from benchmarks import callgrind
from benchmarks.floor import WRITE, exceeded, kept, measured_below
from benchmarks.interpreter import IS_COMPILED, build
from tests.helpers.system_programs import required_program

valgrind = required_program("valgrind")


@pytest.mark.processes
@pytest.mark.usefixtures("valgrind")
@pytest.mark.skipif(platform.machine() != callgrind.MACHINE, reason="Valgrind is asked by instructions of x86-64")
@pytest.mark.parametrize("is_compiled", sorted({False, IS_COMPILED}))
def test_no_request_takes_more_instructions_than_is_kept(is_compiled, monkeypatch):
    monkeypatch.setenv("ANTIPHON_PURE", "0" if is_compiled else "1")
    ceilings = kept().get(key := build(is_compiled))
    if ceilings is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"no ceilings are kept for {key}: {WRITE}")
    assert not [*exceeded(measured_below(ceilings), ceilings)]


@pytest.mark.parametrize(
    ("figure", "told"),
    [(0.90, []), (1.03, []), (1.04, ["hello takes 4.0% more instructions than is kept: 1.04, not 1.0"])],
)
def test_a_figure_may_be_three_per_cent_above_its_ceiling(figure, told):
    assert [*exceeded({"hello": figure}, {"hello": 1.0})] == told


def test_what_is_counted_needs_a_ceiling():
    assert [*exceeded({"hello": 1.0}, {})] == [f"hello has no ceiling; `{WRITE}` writes those of this Python"]
