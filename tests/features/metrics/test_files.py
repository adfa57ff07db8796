"""The files in which processes keep their figures: what is there when one was killed, and what others make of it."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from antiphon import App
from antiphon.features import Metrics
from antiphon.testing import Client
from tests.helpers.figures import Figures
from tests.helpers.rows import rows
from tests.helpers.small_disks import small_file_system
from tests.helpers.waiting import eventually

WRITER = """
import os, sys
from antiphon.features import Metrics
metrics = Metrics(None, folder=sys.argv[1])
orders = metrics.counter("shop_orders", "Orders", ["kind"])
weights = metrics.histogram("shop_weights", "Weights")
present = metrics.gauge("shop_present", "Present")
present.set(1)
number = 0
while True:
    number += 1
    orders.add(kind=str(number % 50))
    weights.observe(number % 7)
    os.write(1, b".")
"""


def figures(folder):
    return Figures(Metrics(None, folder=folder).text(open_metrics=True))


class Writer:
    """A process that counts without end, and then writes a dot for each."""

    def __init__(self, folder):
        self.process = subprocess.Popen([sys.executable, "-c", WRITER, folder], stdout=subprocess.PIPE)
        self.written = len(self.process.stdout.read(500))

    def kill(self):
        """Kill it at any point, and return how often it has counted for sure."""
        self.process.send_signal(signal.SIGKILL)
        self.written += len(self.process.stdout.read())
        self.process.wait()
        self.process.stdout.close()
        return self.written


@pytest.mark.processes
def test_a_killed_process_has_counted_what_it_said_and_its_successor_goes_on(tmp_path):
    said = 0
    for times in range(1, 4):
        said += Writer(tmp_path).kill()
        page = figures(tmp_path)
        for counted in (page.sum("shop_orders_total"), page.sum("shop_weights_count")):
            assert said <= counted <= said + times
        assert page.sum("shop_weights_bucket", le="+Inf") == page.sum("shop_weights_count")
        assert "shop_present" not in page.families or page.sum("shop_present") == 0
    assert len([*tmp_path.iterdir()]) == 1  # and this process has taken it over, each time


@pytest.mark.processes
def test_gauges_are_those_of_processes_that_live(tmp_path):
    writers = [Writer(tmp_path) for _ in range(2)]
    metrics = Metrics(None, folder=tmp_path)
    assert Figures(metrics.text()).sum("shop_present") == 2
    writers[0].kill()
    page = Figures(metrics.text())
    assert (page.sum("shop_present"), page.sum("antiphon_processes")) == (1, 2)
    writers[1].kill()
    assert "shop_present" not in Figures(metrics.text()).families
    assert len([*tmp_path.iterdir()]) == 3


@pytest.mark.processes
def test_figures_only_rise_while_processes_write(tmp_path):
    writer = Writer(tmp_path)
    with ThreadPoolExecutor(1) as threads:
        rest = threads.submit(writer.process.stdout.read)
        metrics, last = Metrics(None, folder=tmp_path), 0
        for _ in range(20):
            page = Figures(metrics.text())
            assert last <= (last := page.sum("shop_orders_total"))
            assert page.sum("shop_weights_bucket", le="+Inf") == page.sum("shop_weights_count")
        writer.process.kill()
        assert rest.result()
    writer.kill()


@pytest.mark.processes
def test_a_forked_process_has_a_file_of_its_own(tmp_path):
    metrics = Metrics(None, folder=tmp_path)
    orders = metrics.counter("shop_orders", "Orders")
    orders.add()
    read, write = os.pipe()
    if not (child := os.fork()):
        os.close(write)
        orders.add(10)
        os.read(read, 1)
        os._exit(0)
    os.close(read)
    eventually(lambda: Figures(metrics.text()).sum("shop_orders_total") == 11 or None, "the child does not count")
    assert len([*tmp_path.iterdir()]) == 2
    os.close(write)
    os.waitpid(child, 0)
    orders.add()
    assert Figures(metrics.text()).sum("shop_orders_total") == 12
    assert figures(tmp_path).sum("shop_orders_total") == 12


def test_a_record_that_was_not_finished_is_none(tmp_path):
    metrics = Metrics(None, folder=tmp_path)
    orders = metrics.counter("shop_orders", "Orders", ["kind"])
    orders.add(3, kind="lamp")
    cells = metrics._figures.memory.cells
    used = cells[1]
    cells[used : used + 40] = memoryview(bytes(b"x" * 320)).cast("q")  # of a process that was killed as it wrote
    for torn in (used, used + 40):
        cells[1] = torn
        assert figures(tmp_path).sum("shop_orders_total") == 3
    cells[1] = used
    orders.add(kind="desk")
    assert figures(tmp_path).sum("shop_orders_total", kind="desk") == 1


@rows("content", [b"", b"x", b"\0" * 2**16, bytes(range(256)) * 256])
def test_other_files_in_the_folder_are_left_alone(tmp_path, content):
    other = tmp_path / "other.figures"
    other.write_bytes(content)
    metrics = Metrics(None, folder=tmp_path)
    metrics.counter("shop_orders", "Orders").add()
    assert Figures(metrics.text()).sum("shop_orders_total") == 1
    assert other.read_bytes() == content


def test_a_newer_definition_takes_the_place_of_an_older_one(tmp_path):
    old = Metrics(None, folder=tmp_path)
    old.histogram("shop_weights", "Weights", bounds=[1, 2]).observe(1)
    new = Metrics(None, folder=tmp_path)
    new.histogram("shop_weights", "Weights", bounds=[1, 2, 3]).observe(1)
    assert Figures(new.text(open_metrics=True)).sum("shop_weights_count") == 1
    assert Figures(old.text(open_metrics=True)).sum("shop_weights_count") == 1


def test_a_set_of_labels_that_a_dead_process_had_counts_among_those_of_its_successor(tmp_path):
    for number in range(4):
        metrics = Metrics(None, folder=tmp_path, max_series=2)
        metrics.counter("shop_orders", "Orders", ["kind"]).add(kind=f"kind-{number}")
        del metrics
    page = figures(tmp_path)
    assert page.sum("shop_orders_total", otel_metric_overflow="true") == 2
    assert page.sum("shop_orders_total") == 4


@pytest.mark.processes
def test_a_full_disk_leaves_a_process_to_its_own_figures(tmp_path, caplog):
    with small_file_system("tmpfs", tmp_path) as disk:
        metrics = Metrics("/metrics", folder=Path(disk, "figures"), size=2**26)
        app = App()
        app.use(metrics)
        assert Client(app).get("/metrics").status == 200
        assert Figures(metrics.text()).requests(route="/metrics") == 1
    [record] = [each for each in caplog.records if each.name == "antiphon.metrics"]
    assert "only this process sees its figures" in record.getMessage()


def test_a_temporary_folder_of_another_user_is_not_trusted(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = tmp_path / "antiphon-metrics-1-2-3"
    folder.mkdir()
    folder.chmod(0o777)
    metrics = Metrics(None, folder=folder)
    metrics.counter("shop_orders", "Orders").add()
    assert "others may write to it" in caplog.text
    assert [*folder.iterdir()] == []


@pytest.mark.processes
def test_folders_of_servers_that_are_gone_are_dropped(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    gone, own = (tmp_path / f"antiphon-metrics-{os.getuid()}-{each}" for each in ("1-1", f"{os.getpid()}-{started()}"))
    gone.mkdir()
    planted = gone.with_name(f"{gone.name}0")
    planted.symlink_to(tmp_path)  # which is no folder of a server
    Metrics(None, folder=own).text()
    assert {*tmp_path.iterdir()} == {own, planted}
    assert len([*own.iterdir()]) == 1


def started():
    return Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]
