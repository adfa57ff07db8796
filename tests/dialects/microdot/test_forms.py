"""Forms: urlencoded ones without any setup, those in parts with the extension."""

import pytest

from antiphon.dialects.microdot.multipart import FileUpload, FormDataIter, with_form_data

pytestmark = pytest.mark.axes("interface")

BOUNDARY = "b0undary"
PARTS = {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}


def in_parts(*parts):
    """A form of (name, filename or None, content)."""
    lines = b""
    for name, filename, content in parts:
        file = f'; filename="{filename}"\r\nContent-Type: text/plain' if filename is not None else ""
        lines += f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode()
        lines += content + b"\r\n"
    return lines + f"--{BOUNDARY}--\r\n".encode()


FORM = in_parts(("name", None, "Zoë".encode()), ("photo", "me.txt", b"pixels"), ("other", "o.txt", b"more"))


@pytest.mark.feature("microdot-018")
def test_a_plain_function_can_be_given_a_form_in_parts(app, serve):
    @app.post("/<int:number>")
    @with_form_data
    def handler(request, number):
        return f"{request.form['name']} {number}"

    assert serve(app).post("/3", body=FORM, headers=PARTS).text == "Zoë 3"


@pytest.mark.feature("microdot-047")
def test_with_the_extension_the_form_has_its_fields(app, serve):
    @app.post("/")
    @with_form_data
    async def handler(request):
        assert type(request.form) is dict
        return request.form

    assert serve(app).post("/", body=FORM, headers=PARTS).json == {"name": "Zoë"}


@pytest.mark.feature("microdot-047")
def test_the_last_value_of_a_repeated_field_and_the_last_file_count(app, serve):
    @app.post("/")
    @with_form_data
    async def handler(request):
        return [request.form, request.files["b"].filename]

    form = in_parts(("a", None, b"1"), ("a", None, b"2"), ("b", "first", b""), ("b", "last", b""))
    assert serve(app).post("/", body=form, headers=PARTS).json == [{"a": "2"}, "last"]


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

    assert serve(app).post("/", body=FORM, headers=PARTS).json == ["me.txt", "text/plain", "pi", "xels"]
    assert (tmp_path / "saved").read_bytes() == b"more"


@pytest.mark.feature("microdot-019")
def test_a_file_may_be_the_answer(app, serve):
    @app.post("/")
    @with_form_data
    async def handler(request):
        return request.files["photo"]

    assert serve(app).post("/", body=FORM, headers=PARTS).text == "pixels"


@pytest.mark.feature("microdot-019")
def test_without_files_there_are_none(app, serve):
    @app.post("/")
    @with_form_data
    async def handler(request):
        return str(request.files)

    client = serve(app)
    assert client.post("/", form={"a": "1"}).text == "None"
    assert client.post("/", body=in_parts(("a", None, b"1")), headers=PARTS).text == "{}"


def test_a_form_in_parts_may_be_larger_than_what_is_loaded(app, serve, monkeypatch):
    from antiphon.dialects.microdot import Request

    monkeypatch.setattr(Request, "max_content_length", 4 << 20)
    content = bytes(range(256)) * 4096

    @app.post("/")
    @with_form_data
    async def handler(request):
        assert request.body == b""
        return str(await request.files["file"].read() == content)

    assert serve(app).post("/", body=in_parts(("file", "f", content)), headers=PARTS).text == "True"


@pytest.mark.parametrize("size", [100, 100_000])
def test_parts_one_after_another(app, serve, monkeypatch, tmp_path, size):
    from antiphon.dialects.microdot import Request

    monkeypatch.setattr(Request, "max_content_length", 1 << 20)
    content = bytes(range(256)) * (size // 100)

    @app.post("/")
    async def handler(request):
        seen, copies = [], []
        async for name, value in FormDataIter(request):
            if name == "saved":
                with open(tmp_path / "file", "wb") as file:
                    await value.save(file)
            seen.append([name, value if isinstance(value, str) else value.filename])
            if name == "copied":
                copies.append(await value.copy())
        assert [await copy.read() for copy in copies] == [content]
        for copy in copies:
            await copy.close()
        return seen

    form = in_parts(
        ("a", None, b"1"),
        ("saved", "s", content),
        ("skipped", "x", content),
        ("copied", "c", content),
        ("b", None, b""),
    )
    expected = [["a", "1"], ["saved", "s"], ["skipped", "x"], ["copied", "c"], ["b", ""]]
    assert serve(app).post("/", body=form, headers=PARTS).json == expected
    assert (tmp_path / "file").read_bytes() == content


def test_another_body_has_no_parts(app, serve):
    @app.post("/")
    async def handler(request):
        return [name async for name, _ in FormDataIter(request)]

    assert serve(app).post("/", form={"a": "1"}).json == []


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
