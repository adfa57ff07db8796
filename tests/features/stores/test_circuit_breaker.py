"""The guard of calls to a service that may be away: when it is asked, and by whom."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from antiphon.features import StoreUnavailable
from antiphon.features.stores.circuit_breaker import LONGEST_TRY, PAUSE, CircuitBreaker
from tests.helpers.waiting import DEADLINE

pytestmark = pytest.mark.once

WAIT = 2.0
"""Seconds until a call fails."""


class Service:
    """A service behind the guard, which counts its calls."""

    def __init__(self, clock):
        self.clock = clock
        self.breaker = CircuitBreaker(ConnectionError, TimeoutError)
        self.calls = 0
        self.error = None

    def _respond(self):
        self.calls += 1
        if self.error is not None:
            self.clock.now += WAIT
            raise self.error
        return "answer"

    def ask(self):
        """Return the answer, or the type of the error."""
        try:
            return self.breaker.call(self._respond)
        except BaseException as error:
            return type(error)


@pytest.fixture
def clock(monotonic):
    return monotonic


@pytest.fixture
def service(clock):
    return Service(clock)


@pytest.fixture
def away(service):
    service.error = TimeoutError()
    assert service.ask() is TimeoutError
    return service


def test_a_service_that_answers_is_asked_each_time(service):
    assert [service.ask() for _ in range(3)] == ["answer"] * 3
    assert service.calls == 3


def test_after_a_failure_calls_fail_at_once_for_a_time_that_begins_after_the_wait(clock, away):
    assert [away.ask() for _ in range(3)] == [StoreUnavailable] * 3
    clock.now += PAUSE - 0.1
    assert away.ask() is StoreUnavailable
    assert away.calls == 1
    clock.now += 0.1
    assert away.ask() is TimeoutError
    assert [away.ask() for _ in range(3)] == [StoreUnavailable] * 3
    assert away.calls == 2


def test_after_an_answer_all_calls_are_made_again(clock, away):
    clock.now += PAUSE
    away.error = None
    assert [away.ask() for _ in range(3)] == ["answer"] * 3
    assert away.calls == 4


def test_one_call_at_a_time_tries(clock, away):
    clock.now += PAUSE
    begun, answered = Event(), Event()

    def answer():
        begun.set()
        assert answered.wait(DEADLINE)
        return "at last"

    with ThreadPoolExecutor(1) as threads:
        trying = threads.submit(away.breaker.call, answer)
        assert begun.wait(DEADLINE)
        assert [away.ask() for _ in range(3)] == [StoreUnavailable] * 3
        answered.set()
        assert trying.result(DEADLINE) == "at last"
    assert away.calls == 1


def test_a_try_that_never_ends_keeps_others_from_it_for_a_while_only(clock, away):
    clock.now += PAUSE
    away.breaker._begin_try()  # as in a process that is forked meanwhile
    clock.now += LONGEST_TRY - 0.1
    assert away.ask() is StoreUnavailable
    clock.now += 0.1
    away.error = None
    assert [away.ask() for _ in range(2)] == ["answer"] * 2


def test_a_try_that_is_interrupted_is_left_to_the_next_call(clock, away):
    clock.now += PAUSE
    away.error = KeyboardInterrupt()
    assert away.ask() is KeyboardInterrupt
    away.error = TimeoutError()
    assert [away.ask() for _ in range(2)] == [TimeoutError, StoreUnavailable]


def test_an_error_that_the_service_answers_with_is_an_answer(clock, away):
    clock.now += PAUSE
    away.error = ValueError()
    assert [away.ask() for _ in range(3)] == [ValueError] * 3


def test_a_failure_does_not_count_if_the_service_has_answered_another_call_meanwhile(clock, service):
    def lose_a_connection():
        clock.now += WAIT
        service.ask()
        raise ConnectionError

    with pytest.raises(ConnectionError):
        service.breaker.call(lose_a_connection)
    assert service.ask() == "answer"


def test_a_call_that_does_without_the_guard_is_made_and_tells_others(clock, away):
    away.error = None
    assert away.breaker.call_unguarded(away._respond) == "answer"
    assert away.ask() == "answer"
    away.error = ConnectionError()
    with pytest.raises(ConnectionError):
        away.breaker.call_unguarded(away._respond)
    assert away.ask() is StoreUnavailable
