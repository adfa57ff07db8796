"""Programs that take or send files."""

import csv
from collections.abc import Mapping
from io import TextIOWrapper
from pathlib import Path
from shutil import copyfileobj
from sqlite3 import Connection, connect
from tempfile import gettempdir

from antiphon import App, Dependency, Request
from antiphon.http import UnsupportedMediaType

FOLDER = Path(gettempdir())
DATABASE = Dependency[Connection]("database")


def files_on_a_loop() -> App:
    app = App()

    @app.post("/pictures")
    async def add(request: Request) -> str:
        picture = request.files["picture"]
        start = await picture.aread(16)
        path = await picture.asave(FOLDER / "picture", overwrite=True)
        return f"{start.hex()} in {path.name}"

    return app


def rows_of_a_csv() -> App:
    app = App()

    @app.post("/towns")
    def add(request: Request) -> list[str]:
        with TextIOWrapper(request.files["towns"], encoding="utf-8", newline="") as text:
            return [row["town"] for row in csv.DictReader(text)]

    return app


def type_of_a_file() -> App:
    app = App()

    @app.post("/pictures")
    def add(request: Request) -> str:
        picture = request.files["picture"]
        claimed = picture.content_type
        if claimed is None or claimed.type != "image":
            raise UnsupportedMediaType(f"{picture.mimetype} is no picture.")
        with (FOLDER / "copy").open("wb") as copy:
            copyfileobj(picture, copy)
        return claimed.subtype

    return app


def body_that_is_streamed() -> App:
    app = App()

    @app.put("/films/<name>", receive="stream")
    async def receive(request: Request, name: str) -> tuple[str, int]:
        size = 0
        async for chunk in request.stream:
            size += len(chunk)
        return f"{name} has {size} bytes", 201

    @app.put("/blobs", receive="stream")
    def receive_on_a_thread(request: Request) -> dict[str, int]:
        return {"size": sum(len(chunk) for chunk in request.stream)}

    return app


def files_with_rows() -> App:
    app = App(upload_folder=FOLDER)

    def open_database(request: Request) -> Connection:
        return connect(":memory:")

    app.provide(DATABASE, open_database, blocking=True)

    @app.post("/documents")
    def add(request: Request) -> Mapping[str, int]:
        sizes = {upload.filename: upload.size for _, upload in request.files.items()}
        request[DATABASE].executemany("insert into documents values (?, ?)", sizes.items())
        return sizes

    return app


PROGRAMS = [files_on_a_loop, rows_of_a_csv, type_of_a_file, body_that_is_streamed, files_with_rows]
