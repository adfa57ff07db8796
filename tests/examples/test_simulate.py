"""A day's simulation: the page shows what it prints, and its arithmetic holds for sites that are known."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.rows import rows

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / "examples/deploy/simulate.py"
SHOWN = re.findall(
    r"^```console\n\$ python simulate.py([^\n]*)\n(.*?)^```$",
    (ROOT / "docs/explanation/many-machines.md").read_text(),
    re.MULTILINE | re.DOTALL,
)


@pytest.fixture(scope="module")
def simulate():
    spec = importlib.util.spec_from_file_location("simulate", PROGRAM)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def share(simulate, part, *arguments):
    return {load.part: load.share for load in simulate.loads(simulate.read([*arguments]))}[part]


@pytest.mark.processes
def test_the_page_shows_what_it_prints():
    assert SHOWN
    for arguments, text in SHOWN:
        ran = subprocess.run(
            [sys.executable, PROGRAM, *arguments.split()], check=True, stdout=subprocess.PIPE, text=True
        )
        assert ran.stdout == text


def test_the_busiest_second_of_a_day(simulate):
    peak = simulate.peak_of(simulate.read(["--users", "86400", "--pages", "10", "--peak", "3", "--online", "0.5"]))
    assert (peak.requests, peak.sockets) == (30, 43200)


@rows(
    "part, more",
    ("CPU of the machines", "--handler-cpu"), ("memory of the machines", "--socket-memory"),
    ("file descriptors", "--online"), ("network of the machines", "--answer"), ("Valkey's thread", "--command-cpu"),
    ("Valkey's memory", "--sessions"), ("Valkey's network", "--session-size"),
)  # fmt: skip
def test_what_costs_more_takes_a_greater_share_of_its_part(simulate, part, more):
    assert share(simulate, part, more, "10000") > share(simulate, part, more, "1") > 0


def test_more_machines_leave_valkey_where_it_is(simulate):
    few, many = [simulate.read(["--machines", number, "--events", "0"]) for number in ("2", "20")]
    shares = [{load.part: load.share for load in simulate.loads(site)} for site in (few, many)]
    assert shares[0]["CPU of the machines"] == pytest.approx(10 * shares[1]["CPU of the machines"])
    assert shares[0]["Valkey's thread"] == shares[1]["Valkey's thread"]


def test_what_a_site_carries_fills_its_first_part(simulate):
    site = simulate.read(["--users", "1000"])
    full = simulate.read(["--users", str(1000 * simulate.most(site))])
    assert max(load.share for load in simulate.loads(full)) == pytest.approx(1, abs=1e-6)


def test_machines_too_small_for_their_workers_carry_no_one(simulate):
    assert simulate.most(simulate.read(["--memory", "0.1"])) < 1e-6


@rows("wrong", [["--machines", "0"], ["--users", "-1"], ["--peak", "inf"], ["--peak", "nan"]])
def test_a_wrong_number_is_refused(simulate, wrong, capsys):
    with pytest.raises(SystemExit):
        simulate.read(wrong)
    assert f"{wrong[0]} must be at least" in capsys.readouterr().err
