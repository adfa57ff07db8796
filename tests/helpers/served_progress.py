"""Applications that tell how far an upload has come: one of each colour."""

from antiphon import App, Request
from antiphon.features.upload_progress import UploadProgress

app = App()
async_app = App()
for each in (app, async_app):
    each.use(UploadProgress(interval=0.02, patience=20))


@app.post("/upload")
def upload(request: Request):
    return str(len(request.body))


@async_app.post("/upload")
async def upload_async(request: Request):
    return str(len(request.body))
