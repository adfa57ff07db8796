from itsdangerous import BadSignature, URLSafeTimedSerializer

from antiphon.dialects.werkzeug.wrappers import Request, Response

signer = URLSafeTimedSerializer("nobody else knows these characters")


def read_session(request):
    try:
        return signer.loads(request.cookies.get("session", ""), max_age=14 * 24 * 3600)
    except BadSignature:
        return {}


@Request.application
def app(request):
    session = read_session(request)
    session["visits"] = session.get("visits", 0) + 1
    response = Response(f"Visit {session['visits']}", mimetype="text/html")
    response.set_cookie("session", signer.dumps(session), httponly=True, samesite="Lax")
    return response
