"""An application with a form of which the files may be too large, shown again with the error in place."""

from dataclasses import dataclass
from typing import Annotated, Literal

from msgspec import Meta

from antiphon import App, Limits, Request, Upload
from antiphon.features import Field, Form
from antiphon.http import ContentTooLarge

LIMIT = 200_000
"""The body limit of the forms, in bytes."""

app = App(limits=Limits(body=LIMIT))


@dataclass
class Picture:
    title: Annotated[str, Meta(min_length=2), Field(help="As it hangs in the gallery.")]
    file: Upload
    shelf: Annotated[str, Meta(pattern=r"^\w+-\d$")] = ""
    kind: Annotated[Literal["oil", "ink"], Field(widget="radio", help="Ask if unsure.")] = "oil"
    terms: Annotated[bool, Field(label="It is mine", required=True)] = False


@app.get("/def/picture")
@app.post("/def/picture", receive="lazy")
def add(request: Request):
    form = Form(Picture, request)
    if form.validate():
        return f"{form.data.title}: {form.data.file.size} bytes"
    return form, form.status


@app.get("/async/picture")
@app.post("/async/picture", receive="lazy")
async def add_async(request: Request):
    form = Form(Picture, request)
    if await form.avalidate():
        return f"{form.data.title}: {form.data.file.size} bytes"
    return form, form.status


@app.post("/handled/picture")
def add_loaded(request: Request):
    return add(request)


@app.errorhandler(ContentTooLarge)
def too_large(request: Request, error: ContentTooLarge):
    return add(request)
