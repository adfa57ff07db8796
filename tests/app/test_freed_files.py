"""The file of a large body is closed when its request has ended, even if the request is kept."""

import sys

import pytest

from antiphon import App
from tests.helpers.open_files import files_in, is_without_files
from tests.helpers.rows import rows

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(sys.platform != "linux", reason="looks at what the process has open"),
    pytest.mark.axes("interface"),
]

WAYS = {
    "as a whole": lambda request: len(request.body), "as text": lambda request: len(request.text),
    "in chunks": lambda request: sum(map(len, request.stream)), "not at all": lambda request: 0,
}  # fmt: skip


@rows("read", WAYS.values(), ids=WAYS)
def test_a_body_in_a_file(serving, tmp_path, read):
    app, kept, opened = App(upload_folder=tmp_path), [], []

    @app.post("/")
    def take(request):
        kept.append(request)
        opened.append(files_in(tmp_path))
        return str(read(request))

    assert serving(app).post("/", body=iter([bytes(2 << 20)])).status == 200  # undeclared, which may be longer
    assert len(opened[0]) == 1
    assert is_without_files(tmp_path)
