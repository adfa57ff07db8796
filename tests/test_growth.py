"""Parsers, whose work grows with their input and no faster: counted in instructions, however busy the machine is."""

import platform
import subprocess
import sys
from importlib import import_module
from itertools import count

import pytest

from benchmarks import callgrind
from benchmarks.instructions import ROOT, VALGRIND, environment, total
from tests.helpers.growth_counter import SCALES
from tests.helpers.system_programs import required_program

MODULES = "tests.body.hostile_forms", "tests.speedups.long_inputs", "tests.dialects.werkzeug.routing.long_paths"
MOST = 4.5
"""From one step of the scales to the next, linear work grows by 3, and quadratic work by 9."""
FEW = 50_000
"""Instructions that tell nothing: memory comes in steps."""

valgrind = required_program("valgrind")


@pytest.mark.once
@pytest.mark.processes
@pytest.mark.usefixtures("valgrind")
@pytest.mark.skipif(platform.machine() != callgrind.MACHINE, reason="Valgrind is asked by instructions of x86-64")
def test_work_grows_with_the_input_and_no_faster(tmp_path):
    out = f"--callgrind-out-file={tmp_path}/counted"
    command = [*VALGRIND, out, sys.executable, "-m", "tests.helpers.growth_counter", *MODULES]
    subprocess.run(command, check=True, cwd=ROOT, env=environment())
    counts = (total(tmp_path / f"counted.{number}") for number in count(1))
    names = [name for module in MODULES for name in import_module(module).GROWING]
    growth = {name: grown(*[next(counts) for _ in SCALES]) for name in names}
    assert {name: times for name, times in growth.items() if times > MOST} == {}


def grown(small, medium, large):
    return round((large - medium) / max(medium - small, FEW), 1)
