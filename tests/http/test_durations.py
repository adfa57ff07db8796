import math
from datetime import timedelta

import pytest

from antiphon import App, Limits, Response, SignatureExpired, Signer
from antiphon.features import CORS, IdempotentWrites, MemoryStore, Sessions, SQLiteStore, StrictTransportSecurity
from antiphon.http import CacheControl, SetCookie
from antiphon.http.dates import seconds_of
from tests.helpers.rows import rows

pytestmark = pytest.mark.once


@rows(
    "duration, seconds",
        (5, 5), (0.5, 0.5), (math.inf, math.inf), (None, None), ("5", "5"), (timedelta(minutes=2), 120),
        (timedelta(days=-1), -86400), (timedelta(milliseconds=1500), 1.5), (timedelta.max, 86399999999999.999999),
)  # fmt: skip
def test_is_in_seconds(duration, seconds):
    found = seconds_of(duration)
    assert (found, type(found)) == (seconds, type(seconds))


minute = timedelta(minutes=1)


@rows(
    "given, seconds",
    (lambda: Limits(timeout=minute), lambda: Limits(timeout=60)),
    (lambda: Limits(timeout=timedelta(seconds=0.5)), lambda: Limits(timeout=0.5)),
    (lambda: CacheControl(max_age=minute, min_fresh=minute), lambda: CacheControl(max_age=60, min_fresh=60)),
    (lambda: SetCookie("a", max_age=minute), lambda: SetCookie("a", max_age=60)),
    (lambda: StrictTransportSecurity(minute), lambda: StrictTransportSecurity(60)),
    (lambda: App(deadline=minute).deadline, lambda: App(deadline=60).deadline),
)
def test_of_a_timedelta_is_that_of_its_seconds(given, seconds):
    assert given() == seconds()
    assert repr(given()) == repr(seconds())


@rows(
    "refused",
    lambda: CacheControl(max_age=timedelta(seconds=0.5)),
    lambda: SetCookie("a", max_age=timedelta(seconds=0.5)),
    lambda: StrictTransportSecurity(timedelta(seconds=0.5)),
    lambda: CORS("*", max_age=timedelta(seconds=0.5)),
    lambda: Response("x").cache_for(timedelta(seconds=-1)),
    lambda: Limits(timeout=timedelta(seconds=-1)),
    lambda: App(deadline=timedelta(0)),
    lambda: Sessions(MemoryStore(), idle=timedelta(0)),
    lambda: Sessions(MemoryStore(), bound=timedelta(0)),
    lambda: IdempotentWrites(MemoryStore(), takeover=timedelta(0)),
    lambda: Response.events([], heartbeat=timedelta(0)),
)
def test_of_a_timedelta_that_does_not_fit_is_refused_as_its_seconds_are(refused):
    with pytest.raises(ValueError, match=r"seconds|above 0|or more"):
        refused()


def test_of_a_signature_and_of_a_wait_may_be_a_timedelta(tmp_path):
    signer = Signer(["k" * 32], salt="test")
    assert signer.unsign(signer.sign(1), timedelta(days=1)) == 1
    with pytest.raises(SignatureExpired):
        signer.unsign(signer.sign(1), timedelta(seconds=-10))
    SQLiteStore(tmp_path / "x.db", timeout=minute).add("a", {}, ttl=60)
