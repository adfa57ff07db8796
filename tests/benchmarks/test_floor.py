"""How many instructions requests may take, so that none gets slower unseen."""

import os
import platform

import pytest

from benchmarks import callgrind
from benchmarks.floor import WRITE, bent_curves, exceeded, kept, measured_below
from benchmarks.growth import CURVES, HELD, bent, cell
from benchmarks.harness import WsgiServer
from benchmarks.interpreter import IS_COMPILED, build
from tests.helpers.rows import rows
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


@pytest.mark.processes
@pytest.mark.usefixtures("valgrind")
@pytest.mark.skipif(platform.machine() != callgrind.MACHINE, reason="Valgrind is asked by instructions of x86-64")
def test_a_request_in_a_larger_application_takes_as_many_instructions_or_a_fixed_number_more_for_each_part():
    assert not bent_curves()


@rows("name", CURVES)
def test_an_application_of_each_size_responds(name):
    app, case = CURVES[name].build(CURVES[name].held[0])
    WsgiServer(app).verify(case)


def test_a_curve_may_be_five_per_cent_above_a_line():
    linear = {name: float(name.rpartition("/")[2]) for name in HELD}
    flat = dict.fromkeys(HELD, 1.0)
    assert [*bent(flat)] == []
    assert {line.partition(":")[0] for line in bent(linear)} == {"routes", "sessions"}
    assert [*bent(flat | {cell("mounts", 6): 1.06})] == [
        "mounts: 6 take 6.0% more instructions than fewer let expect: 1"
    ]


@pytest.mark.parametrize(
    ("figure", "told"),
    [(0.90, []), (1.03, []), (1.04, ["hello takes 4.0% more instructions than is kept: 1.04, not 1.0"])],
)
def test_a_figure_may_be_three_per_cent_above_its_ceiling(figure, told):
    assert [*exceeded({"hello": figure}, {"hello": 1.0})] == told


def test_what_is_counted_needs_a_ceiling():
    assert [*exceeded({"hello": 1.0}, {})] == [f"hello has no ceiling; `{WRITE}` writes those of this Python"]
