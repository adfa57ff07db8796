"""What somebody may try who means harm or is only unlucky: many at once, forged cookies, addresses of other sites."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from antiphon import App, get_response
from antiphon import Request as NativeRequest
from antiphon.dialects.asok import Asok


@pytest.mark.parametrize("is_mounted", [False, True])
def test_a_page_is_run_once_by_many_first_requests_at_once(write, tmp_path, is_mounted):
    page = """
import time
from pathlib import Path
with Path(ROOT, "runs").open("a") as file:
    file.write("x")
time.sleep(0.05)
def render(request): return "x"
"""
    app = Asok(write({"page.py": page.replace("ROOT", repr(str(tmp_path)))}))
    if is_mounted:
        app, inner = App(), app
        app.mount("", inner)
    together = Barrier(8)

    def ask(_):
        together.wait()
        return get_response(app, NativeRequest.blank("/")).status

    with ThreadPoolExecutor(8) as pool:
        assert [*pool.map(ask, range(8))] == [200] * 8
    assert (tmp_path / "runs").read_text() == "x"
