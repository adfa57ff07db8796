"""Files of forms beside those of Werkzeug."""

import io
import pickle
from functools import partial
from pathlib import Path

from werkzeug import datastructures as original

from antiphon.dialects.werkzeug import datastructures as dialect
from tests.dialects.werkzeug.in_step import outcome, same
from tests.helpers.rows import rows
from tests.uploads.spools import Head, in_file, in_memory, upload

LIBRARIES = (original, dialect)


class Named(io.BytesIO):
    def __init__(self, name):
        super().__init__(b"x")
        self.name = name


@rows(
    "arguments, options",
        ((), {}),
        ((None, "a.txt", "field"), {}),
        ((None, Path("a/b.txt")), {}),
        ((None, b"a.txt"), {}),
        ((None, ""), {}),
        ((partial(Named, "n.txt"),), {}),
        ((partial(Named, b"n.txt"),), {}),
        ((partial(Named, "<stdin>"),), {}),
        ((partial(Named, "n.txt"), "own"), {}),
        ((), {"content_type": "Text/HTML; charset=utf-8; a=\"b c\""}),
        ((), {"content_length": 12}),
        ((), {"content_type": "x", "content_length": 0}),
)  # fmt: skip
def test_tells_what_was_said(arguments, options):
    theirs, ours = (
        library.FileStorage(*[each() if isinstance(each, partial) else each for each in arguments], **options)
        for library in LIBRARIES
    )
    for look in [
        lambda f: (f.name, f.filename, f.content_type, f.content_length, f.mimetype, f.mimetype_params),
        bool,
        repr,
        lambda f: list(f.headers),
        lambda f: f.read(),
        lambda f: f.gone,
    ]:
        same(outcome(look, theirs), outcome(look, ours))


def test_is_read_as_the_stream_that_it_has():
    stream = io.BytesIO(b"one\ntwo\n")
    file = dialect.FileStorage(stream, "a")
    assert file.stream is stream
    assert file.read(1) == b"o"
    assert file.tell() == 1
    assert list(file) == [b"ne\n", b"two\n"]
    file.seek(0)
    assert file.readlines() == [b"one\n", b"two\n"]
    assert file.getvalue() == b"one\ntwo\n"
    file.close()
    assert stream.closed
    file.close()


class TestOfAnUpload:
    def made(self, where):
        head = Head("Image/PNG; q=1", ((b"content-type", b"Image/PNG; q=1"), (b"x-note", b"n")))
        return upload(make=where, filename="photo.png", head=head)[0]

    @rows("where", [in_memory, in_file])
    def test_has_what_the_upload_has(self, where):
        kept = self.made(where)
        file = dialect.FileStorage(kept)
        assert (file.filename, file.name, file.content_type) == ("photo.png", kept.field_name, "Image/PNG; q=1")
        assert (file.mimetype, file.mimetype_params) == ("image/png", {"q": "1"})
        assert list(file.headers) == [("Content-Type", "Image/PNG; q=1"), ("X-Note", "n")]
        assert dialect.FileStorage(kept, "other", "field").filename == "other"


class TestFileMultiDict:
    def test_takes_paths_file_objects_and_files(self, tmp_path):
        path = tmp_path / "a.txt"
        path.write_bytes(b"content")
        for file, options in [
            (str(path), {}),
            (path, {"filename": "b.bin"}),
            (path, {"content_type": "x/y"}),
            (io.BytesIO(b"content"), {}),
            (io.BytesIO(b"content"), {"filename": "c.unknown"}),
        ]:
            found = []
            for library in LIBRARIES:
                files = library.FileMultiDict()
                files.add_file("field", file, **options)
                made = files["field"]
                found.append((made.name, made.filename, made.content_type))
                if not isinstance(file, io.BytesIO):
                    assert made.read() == b"content"
                    made.close()
            assert found[0] == found[1]

    def test_takes_a_file_as_it_is(self):
        file = dialect.FileStorage(io.BytesIO(), "x")
        files = dialect.FileMultiDict()
        files.add_file("field", file)
        assert files["field"] is file


def test_is_pickled_where_its_stream_is():
    file = pickle.loads(pickle.dumps(dialect.FileStorage(io.BytesIO(b"x"), "a", "field", "text/plain")))
    assert (file.read(), file.filename, file.name, file.mimetype) == (b"x", "a", "field", "text/plain")
