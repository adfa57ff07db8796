from pathlib import Path

from antiphon.dialects.werkzeug.utils import send_file
from antiphon.dialects.werkzeug.wrappers import Request


@Request.application
def app(request):
    path = Path(__file__).with_name("prices.csv")
    return send_file(path, request.environ, as_attachment=True)
