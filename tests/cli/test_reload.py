"""`antiphon run --reload`: each save is served at once, and what is broken is shown until it is mended."""

import os
import re
import signal
import socket
import threading
import time

import pytest

from tests.helpers.reloaded_site import INIT, INNER, RATES, SHOP, Site, running
from tests.helpers.waiting import at_once

pytestmark = [pytest.mark.once, pytest.mark.processes]


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    with running(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture
def site(shared):
    shared.mend()
    return shared


@pytest.mark.parametrize(
    ("save", "path", "text", "answer"),
    [
        pytest.param(Site.save, INIT, SHOP.replace("{EUR}", "rate {EUR}"), "rate 1 ", id="the module"),
        pytest.param(Site.save, INNER, "EUR = 2\n", "2 ", id="another one, of its old size"),
        pytest.param(Site.replace, INNER, "EUR = 2\n", "2 ", id="renamed"),
        pytest.param(Site.remove_and_save, INNER, "EUR = 2\n", "2 ", id="removed and written"),
        pytest.param(Site.save, ".env", "GREETING=bye\n", "1 bye ", id="the environment"),
    ],
)
def test_a_change_is_served_and_told(site, save, path, text, answer):
    told, failed = len(site.out), len(site.err)
    save(site, path, text)
    site.wait_for(answer)
    site.wait_until(lambda: re.fullmatch(rf"Reloaded in \d+\.\d\d s: {re.escape(path)}\n", site.out[told:]))
    assert len(site.err) == failed or save is Site.remove_and_save  # the file may have been gone for too long


PAGES = """
from antiphon.features import FileRoutes

app.use(FileRoutes("pages"))
"""


def test_pages_from_files_are_served_anew_and_added(site):
    (site.folder / "shop/pages").mkdir()
    site.save(INIT, SHOP + PAGES)
    for name, answer in [("[id]", "1"), ("[id]", "2"), ("new", "3")]:
        site.save(f"shop/pages/{name}.py", f"def render(request):\n    return '{answer}'\n")
        site.wait_until(lambda answer=answer: site.get("/new") == answer)


def test_of_several_saves_in_a_row_the_last_is_served(site):
    for number in range(10, 30):
        site.save(INNER, f"EUR = {number}\n")
        time.sleep(0.03)
    site.wait_for("29 ")
    pids = {site.get() for _ in range(10)}
    assert len(pids) == 1


def test_a_file_that_is_saved_while_another_one_is_loaded_is_told_with_it(site):
    told = len(site.out)
    site.save(INIT, f"import time\ntime.sleep(1)\n{SHOP}".replace("{EUR}", "rate {EUR}"))
    site.save(INNER, "EUR = 2\n")
    site.wait_for("rate 2 ")
    site.wait_until(lambda: f"s: {INIT} and 1 more\n" in site.out[told:])


def test_a_signal_loads_it_anew(site):
    told, before = len(site.out), site.get()
    site.process.send_signal(signal.SIGUSR2)
    site.wait_until(lambda: re.fullmatch(r"Reloaded in \d+\.\d\d s\n", site.out[told:]))
    assert site.get() != before


def test_an_open_stream_delays_nothing_and_gets_its_grace(site):
    with site.stream() as stream:
        old = site.get()
        site.save(INNER, "EUR = 2\n")
        site.wait_for("2 ")
        assert stream.recv(100)
        stream.settimeout(10)
        while stream.recv(65536):
            pass  # until it is cut off
    assert site.get() != old


def test_who_has_connected_at_a_change_and_asks_a_moment_later_is_answered(site):
    is_over = threading.Event()
    lost = []

    def ask_again_and_again():
        while not is_over.is_set():
            began = time.monotonic()
            with socket.create_connection(("127.0.0.1", site.port)) as connection:
                connection.settimeout(20)
                time.sleep(0.01)
                is_a_moment = time.monotonic() - began < 0.03  # a busy machine may make it more than a server waits
                try:
                    connection.sendall(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
                    answer = connection.recv(65536)
                except ConnectionError as error:
                    answer = repr(error).encode()
                if is_a_moment and not answer.startswith(b"HTTP/1.1 200 "):
                    lost.append(answer)

    threads = [threading.Thread(target=ask_again_and_again) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(2, 6):
        site.save(INNER, f"EUR = {number}\n")
        site.wait_for(f"{number} ")
    is_over.set()
    for thread in threads:
        thread.join(20)
    assert lost == []


def test_who_asks_while_the_application_is_loaded_waits_for_it(site):
    slow = f"import time\nopen('loading', 'w').close()\ntime.sleep(1)\n{SHOP}"
    site.save(INIT, slow.replace("{EUR}", "slow"))
    site.wait_until((site.folder / "loading").exists)
    answers = at_once(lambda _: site.get(), range(5))
    assert [answer.split()[0] for answer in answers] == ["slow"] * 5


BROKEN = {
    "a syntax error": (
        INNER,
        "EUR = (\n",
        ['File "shop/rates.py", line 1', "    EUR = (\n          ^\n", "SyntaxError"],
    ),
    "an error at import": (
        INNER,
        "EUR = {}['EUR']\n",
        [
            "  shop/__init__.py, line 4: from shop.rates import EUR\n  shop/rates.py, line 1: EUR = {}",
            "KeyError: 'EUR'",
        ],
    ),
    "a missing module": (INIT, f"import no_such_module\n{SHOP}", ["No module named 'no_such_module'"]),
    "a missing name": (INIT, SHOP.replace("app = ", "application = app = ") + "del app\n", ["There is no 'app' in"]),
    "a startup hook": (INIT, SHOP.replace("pass", "{}['database']"), ["startup", "__init__.py, line", "KeyError"]),
    "an end of the process": (INNER, "import os\nos._exit(3)\n", ["ended with exit code 3"]),
    "the environment": (".env", "GREETING='\n", [".env, line 1"]),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_shown_until_it_is_mended(site, name):
    path, text, shown = BROKEN[name]
    before = len(site.err)
    site.save(path, text)
    site.wait_until(lambda: site.ask("/orders").status == 500)
    page = site.ask("/orders/7", accept="text/html")
    assert (page.status, page.headers["content-type"]) == (500, "text/html; charset=utf-8")
    site.wait_until(lambda: site.err[before:].endswith("\n"))
    report = site.err[before:].partition("Error: ")[2]
    told = site.ask()
    assert (told.headers["content-type"], told.text) == ("text/plain; charset=utf-8", report)
    assert all(part in report for part in shown)
    assert report.count("\n") <= 15
    site.mend()


def test_a_worker_that_is_killed_is_shown_and_replaced_at_the_next_change(site):
    os.kill(int(site.get().split()[-1]), signal.SIGKILL)
    site.wait_until(lambda: "SIGKILL" in site.get())
    site.save(INNER, "EUR = 2\n")
    site.wait_for("2 ")


def test_an_error_at_the_very_start_is_shown_and_mended_with_two_workers(tmp_path):
    with running(tmp_path, "--workers", "2", **{INNER: "EUR = \n"}) as site:
        assert site.out.startswith("Antiphon is waiting on http://")
        assert "SyntaxError" in site.err
        assert "SyntaxError" in site.get()
        site.save(INNER, RATES)
        site.wait_for("1 ")
        assert " 500 " not in site.log  # pages look again and again whether it is mended
        site.wait_until(lambda: len({site.get() for _ in range(20)}) == 2)


@pytest.mark.parametrize("is_broken", [False, True], ids=["serving", "broken"])
def test_ctrl_c_ends_all_processes(tmp_path, is_broken):
    with running(tmp_path, **({INNER: "EUR = \n"} if is_broken else {})) as site:
        time.sleep(0.5)
        site.press_ctrl_c()
        assert site.exit_code() == 0
        site.wait_until(site.nobody_is_left)
        assert "Traceback" not in site.err


def test_errors_of_requests_are_shown_as_with_debug(site):
    assert "LookupError: lost" in site.get("/fail", accept="text/html")


def test_folders_to_watch_can_be_named_and_debug_can_be_switched_off(tmp_path):
    (tmp_path / "other").mkdir()
    with running(tmp_path, "--reload-dir", "other", "--no-debug") as site:
        assert "lost" not in site.get("/fail", accept="text/html")
        # Of another length each time: Python takes a file of the same length and second for what it has compiled.
        site.save(INNER, "EUR = 2 \n")
        site.save("other/notes.py", "")
        site.wait_for("2 ")
        site.wait_until(lambda: "s: other/notes.py\n" in site.out)  # which is printed when the new worker serves
        assert INNER not in site.out
        site.save(INNER, "EUR = (\n")
        site.save("other/notes.py", "")
        site.wait_for("SyntaxError")
        page = site.get("/", accept="text/html")
        assert "Not loaded" in page
        assert "SyntaxError" in page


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--reload-dir", "."], "--reload-dir has no meaning without --reload."),
        (["--reload", "--reload-dir", "nowhere"], "Directory 'nowhere' does not exist"),
    ],
)
def test_wrong_options_are_refused(antiphon, arguments, message):
    command = antiphon("apps:wsgi", *arguments)
    assert command.exit_code() == 2
    assert message in command.err
