"""Naive datetimes: wherever a moment is set, it has to know its time zone."""

from datetime import UTC, datetime, tzinfo

import pytest

from antiphon.http.conditional import IfRange, evaluate_preconditions
from antiphon.http.cookies import SetCookie
from antiphon.http.dates import format_http_date, format_retry_after, format_structured_date
from antiphon.http.errors import ServiceUnavailable, TooManyRequests
from antiphon.request.request import Request
from antiphon.response.response import Response
from tests.helpers.rows import rows

MOMENT = datetime(2030, 12, 31, 23, 59, 59)


class Undecided(tzinfo):
    """A time zone that tells no offset."""

    def utcoffset(self, dt):
        return None


def set_on_response(name):
    return lambda moment: setattr(Response(), name, moment)


SETTERS = {
    **{f"response.{name}": set_on_response(name) for name in (
        "date", "deprecation", "expires", "last_modified", "retry_after", "sunset"
    )},
    "set_cookie": lambda moment: Response().set_cookie("a", expires=moment),
    "SetCookie": lambda moment: SetCookie("a", "b", expires=moment),
    "IfRange": IfRange,
    "TooManyRequests": lambda moment: TooManyRequests(retry_after=moment),
    "ServiceUnavailable": lambda moment: ServiceUnavailable(retry_after=moment),
    "format_http_date": format_http_date,
    "format_structured_date": format_structured_date,
    "format_retry_after": format_retry_after,
    "precondition": lambda moment: Request.blank().precondition(modified=moment),
    "precondition of a bare request": lambda moment: evaluate_preconditions("GET", {}.get, modified=moment),
}  # fmt: skip


@rows("moment", [MOMENT, MOMENT.replace(tzinfo=Undecided())], ids=["no zone", "no offset"])
@rows("setter", SETTERS.values(), ids=SETTERS)
def test_are_refused_with_the_way_to_make_them_aware(setter, moment):
    with pytest.raises(ValueError, match=r"no time zone: .*datetime\.now\(UTC\).*\.replace\(tzinfo=UTC\)"):
        setter(moment)


@rows("setter", SETTERS.values(), ids=SETTERS)
def test_are_all_that_is_refused(setter):
    setter(MOMENT.replace(tzinfo=UTC))
