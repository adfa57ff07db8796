from pathlib import Path

from antiphon.dialects.webob.dec import wsgify
from antiphon.dialects.webob.static import FileApp


@wsgify
def app(request):
    path = Path(__file__).with_name("prices.csv")
    disposition = f"attachment; filename={path.name}"
    return FileApp(str(path), content_type="text/csv", charset="utf-8", content_disposition=disposition)
