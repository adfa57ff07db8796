from antiphon.dialects.webob import Response
from antiphon.dialects.webob.cookies import SignedCookieProfile
from antiphon.dialects.webob.dec import wsgify

profile = SignedCookieProfile("nobody else knows these characters", "salt", "session", httponly=True, samesite="Lax")


@wsgify
def app(request):
    bound = profile(request)
    session = bound.get_value() or {}
    session["visits"] = session.get("visits", 0) + 1
    response = Response(f"Visit {session['visits']}")
    bound.set_cookies(response, session)
    return response
