from pathlib import Path

from antiphon.dialects.microdot import send_file
from antiphon.dialects.microdot.asgi import Microdot

app = Microdot()


@app.get("/")
async def prices(request):
    path = Path(__file__).with_name("prices.csv")
    response = send_file(str(path), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f"attachment; filename={path.name}"
    return response
