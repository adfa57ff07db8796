from itsdangerous import BadSignature, URLSafeTimedSerializer

from antiphon.dialects.kay import Response
from antiphon.dialects.kay.app import KayApp
from antiphon.dialects.kay.routing import Rule, ViewGroup

signer = URLSafeTimedSerializer("nobody else knows these characters")


class SignedSessions:
    def process_request(self, request):
        try:
            request.session = signer.loads(request.cookies.get("session", ""), max_age=14 * 24 * 3600)
        except BadSignature:
            request.session = {}

    def process_response(self, request, response):
        response.set_cookie("session", signer.dumps(request.session), httponly=True)
        return response


def count(request):
    request.session["visits"] = request.session.get("visits", 0) + 1
    return Response(f"Visit {request.session['visits']}", mimetype="text/html")


settings = {"MIDDLEWARE_CLASSES": [SignedSessions]}
app = KayApp(settings, view_groups=[ViewGroup(Rule("/", endpoint="count", view=count))])
