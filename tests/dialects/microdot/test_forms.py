"""Forms: urlencoded ones without any setup, those in parts with the extension."""

import pytest

from antiphon.dialects.microdot.multipart import FileUpload, with_form_data
from tests.helpers.request_bodies import FORM_DATA, form_data

pytestmark = pytest.mark.axes("interface")

PARTS = {"content-type": FORM_DATA}
FORM = form_data(("name", None, "Zoë".encode()), ("photo", "me.txt", b"pixels"), ("other", "o.txt", b"more"))


@pytest.mark.feature("microdot-019")
def test_files_by_field(app, serve, tmp_path):
    @app.post("/")
    @with_form_data
    async def handler(request):
        photo, other = request.files["photo"], request.files["other"]
        assert isinstance(photo, FileUpload)
        first, rest = await photo.read(2), await photo.read()
        await other.save(str(tmp_path / "saved"))
        return [photo.filename, photo.content_type, first.decode(), rest.decode()]

    assert serve(app).post("/", body=FORM, headers=PARTS).json == ["me.txt", "image/png", "pi", "xels"]
    assert (tmp_path / "saved").read_bytes() == b"more"


def test_a_form_in_parts_may_be_larger_than_what_is_loaded(app, serve, monkeypatch):
    from antiphon.dialects.microdot import Request

    monkeypatch.setattr(Request, "max_content_length", 4 << 20)
    content = bytes(range(256)) * 4096

    @app.post("/")
    @with_form_data
    async def handler(request):
        assert request.body == b""
        return str(await request.files["file"].read() == content)

    assert serve(app).post("/", body=form_data(("file", "f", content)), headers=PARTS).text == "True"


def test_a_form_that_is_cut_off_is_a_400(app, serve):
    @app.post("/")
    @with_form_data
    async def handler(request):
        return "parsed"

    assert serve(app).post("/", body=FORM[:-30], headers=PARTS).status == 400


def test_a_file_that_was_received_needs_no_copy(app, serve):
    @app.post("/")
    @with_form_data
    async def handler(request):
        file = request.files["photo"]
        return [await file.copy() is file, (await file.read()).decode()]

    assert serve(app).post("/", body=FORM, headers=PARTS).json == [True, "pixels"]
