"""Challenges of a 401 that was raised without one: those that the application's users can answer, or a general one."""

from antiphon.http import errors
from antiphon.http.authorization import Challenge
from antiphon.http.errors import HTTPError, Unauthorized
from antiphon.request.dependencies import Dependency
from antiphon.request.request import Request

CHALLENGES = Dependency[list[Challenge]]("challenges", fix="app.use(Users(...))")
"""The challenges that a 401 of this application has. The feature that knows its users provides it."""

_GENERAL = "Bearer"


def needs_challenge(error: HTTPError) -> bool:
    """True for a 401 without the header that it must have (RFC 9110 §15.5.2)."""
    return error.status == Unauthorized.status and "www-authenticate" not in error.headers


def challenge_for(request: Request, error: HTTPError, is_debug: bool) -> str:
    """Return the WWW-Authenticate for a 401 without one. In debug the log says where it was raised, and what to do."""
    app = request.route.app
    if app is None or not app.provides(CHALLENGES):
        if is_debug:
            _advise(request, error)
        return _GENERAL
    try:
        challenges = request[CHALLENGES]
        return ", ".join(map(str, challenges))
    except Exception:
        import logging

        logging.getLogger("antiphon").exception("no challenge could be made for a 401, request %s", request._id)
        return _GENERAL


def _advise(request: Request, error: HTTPError) -> None:
    import logging

    logging.getLogger("antiphon").warning(
        "%s answered 401 without a challenge, raised at %s; clients were told %r:"
        ' abort(401, challenge="Bearer") says how to log in, or app.use(Users(...)) does for all routes',
        request.route.answered_by,
        _raised_at(error),
        _GENERAL,
    )


def _raised_at(error: HTTPError) -> str:
    """Return the file and line that raised an error, or that called ``abort``."""
    place, traceback = "an unknown line", error.__traceback__
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if code.co_filename != errors.__file__:
            place = f"{code.co_filename}:{traceback.tb_lineno}"
        traceback = traceback.tb_next
    return place
