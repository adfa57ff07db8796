"""Many who use one store at once, on threads of several processes: what each is told holds, and adds up."""

import json
import subprocess
import sys
from contextlib import closing

import pytest

from tests.features.stores.users_at_once import opened, use_on_threads
from tests.helpers.waiting import DEADLINE

PROCESSES, THREADS, TURNS = 3, 4, 25
ALL = PROCESSES * THREADS * TURNS


@pytest.mark.processes
@pytest.mark.parametrize(
    "kept", ["sqlite", "postgres", "valkey", pytest.param("cluster", marks=pytest.mark.once)], indirect=True
)
def test_in_processes(kept, where, tmp_path):
    command = [
        sys.executable, "-m", "tests.features.stores.users_at_once", where, f"{tmp_path}:", str(THREADS),
        str(TURNS),
    ]  # fmt: skip
    started = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(PROCESSES)]
    told = [json.loads(process.communicate(timeout=6 * DEADLINE)[0]) for process in started]
    with closing(opened(where, f"{tmp_path}:")) as store:  # which goes by the clock that the processes had
        judge(store, told)


@pytest.mark.parametrize("kept", ["memory", "sqlite"], indirect=True)
def test_on_threads(kept):
    judge(kept.store, [use_on_threads(kept.store, PROCESSES * THREADS, TURNS)])


def judge(store, told):
    """Judge what all users were told together, by what the store has in the end."""
    together = {what: sorted(each for one in told for each in one[what]) for what in told[0]}
    once_each = [*range(1, ALL + 1)]
    assert together["counts"] == together["replaced"] == once_each
    assert together["claimed"] == together["rotated"] == together["deleted"] == [*range(TURNS)]
    assert store.increment("counter", ttl=10_000, by=0).value == ALL
    assert store.load("replaced").data["number"] == ALL
