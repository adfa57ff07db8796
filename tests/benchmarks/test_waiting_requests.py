"""The command that measures the memory of requests that wait."""

import sys

import pytest

from benchmarks.waiting_requests import KINDS, main

pytestmark = [
    pytest.mark.once,
    pytest.mark.processes,
    pytest.mark.skipif(sys.platform != "linux", reason="the memory of processes is read as only Linux gives it"),
]


def test_measures_each_kind(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--quick"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for kind in KINDS:
        measured = [line.split()[-1] for line in lines if line.startswith(f"{kind.name} ") and "Antiphon" in line]
        assert measured == ["40"]
