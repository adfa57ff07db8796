"""The queue of an overloaded worker, with a clock that is set: who begins, who waits, who is refused, and when."""

from collections import Counter

import pytest

from antiphon.concurrency import admission
from antiphon.concurrency.admission import AdmissionQueue, Ticket
from antiphon.concurrency.process import wait_observers
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

PATIENCE = 1.0


class Worker:
    """A worker whose requests wait in a queue, and a clock that is set. It keeps the outcome of each request."""

    def __init__(self, most=float("inf")):
        self.now = 100.0
        self.queue = AdmissionQueue(PATIENCE, most, lambda: self.now)
        self.outcomes = {}

    def ask(self, name, client="a", *, is_low=False, port=None):
        decide = lambda begins: self.outcomes.update({name: "begun" if begins else "refused"})  # noqa: E731
        ticket = Ticket(client, is_low, decide, port)
        self.queue.join(ticket)
        return ticket

    def ask_or_be_refused(self, name, client="a"):
        if self.queue.refuses(client, is_low=False):
            self.outcomes[name] = "refused"
        else:
            self.ask(name, client)

    def begin(self):
        before = {*self.outcomes}
        self.queue.begin()
        return next((name for name in self.outcomes if name not in before and self.outcomes[name] == "begun"), None)

    def serve(self, seconds, service, every):
        """Serve for some seconds, with a request at intervals, each of which takes ``service`` seconds."""
        count, due, end = 0, self.now, self.now + seconds
        waited = []
        while self.now < end:
            while due <= self.now:
                self.ask_or_be_refused((count, due))
                count, due = count + 1, due + every
            if (begun := self.begin()) is None:
                self.now = due
            else:
                waited.append(self.now - begun[1])
                self.now += service
        return count, waited

    def refused(self):
        return [name for name, outcome in self.outcomes.items() if outcome == "refused"]


def test_a_burst_begins_in_the_order_of_its_arrival():
    worker = Worker()
    for name in "xyz":
        worker.ask(name)
        worker.now += 0.01
    assert [worker.begin() for _ in range(4)] == ["x", "y", "z", None]


def test_a_burst_may_wait_for_half_of_the_patience():
    worker = Worker()
    worker.ask("early")
    worker.now += 0.1
    worker.ask("late")
    worker.now += 0.1
    assert worker.begin() == "early"
    worker.now += 0.04
    worker.queue.expire()
    assert worker.refused() == []


def test_a_standing_queue_begins_with_the_newest_and_refuses_the_rest():
    worker = Worker()
    worker.ask("old")
    worker.now += PATIENCE / admission.BURST
    worker.ask("new")
    assert worker.queue.is_standing
    assert worker.begin() == "new"
    assert worker.refused() == ["old"]


def test_a_queue_that_was_empty_is_not_standing():
    worker = Worker()
    worker.ask("old")
    worker.now += 0.2
    worker.begin()
    worker.ask("new")
    worker.now += 0.2
    assert not worker.queue.is_standing


@rows("load", [0.5, 1.0, 2.0, 3.0, 5.0, 10.0])
def test_nine_tenths_of_the_capacity_is_used_in_time_at_any_load(load):
    service, seconds = 0.01, 6
    worker = Worker()
    count, waited = worker.serve(seconds, service, service / load)
    possible = min(count, seconds / service)
    assert len([wait for wait in waited if wait + service < PATIENCE]) >= 0.9 * possible


@rows("service", [0.002, 0.01, 0.05, 0.2])
def test_overload_refuses_within_two_paces_or_a_tenth_of_the_patience(service):
    worker = Worker()
    _, waited = worker.serve(4, service, service / 5)
    longest = max(PATIENCE / admission.STANDING, 2.3 * service)
    assert max(waited[len(waited) // 2 :]) <= longest + service


def test_a_slow_worker_has_always_a_request_to_begin():
    _, waited = Worker().serve(30, 0.2, every=0.15)
    assert len(waited) * 0.2 >= 0.98 * 30


def test_time_in_which_nobody_waits_is_not_taken_for_a_slow_pace():
    worker = Worker()
    worker.ask("first")
    worker.begin()
    worker.now += 60
    for name in "xyz":
        worker.ask(name)
    worker.begin()
    worker.ask("last")
    assert worker.refused() == []


def test_a_request_that_would_wait_too_long_is_refused_at_once():
    worker = Worker()
    worker.serve(0.5, 0.05, 0.05 / 1.2)
    for number in range(30):
        worker.ask(number)
    assert len(worker.queue) == 10  # half of the patience, at twenty requests a second
    assert 29 in worker.refused()


def test_a_full_queue_refuses_only_clients_that_have_their_share_of_it():
    worker = Worker(most=10)
    for number in range(10):
        worker.ask(number, "greedy")
    assert [worker.queue.refuses(client, is_low=False) for client in ("greedy", "b")] == [True, False]
    worker.ask("one", "b")
    assert worker.refused() == [9]


def test_a_queue_that_is_short_of_requests_since_others_were_refused_is_still_standing():
    worker = Worker()
    worker.serve(2, 0.01, 0.01 / 3)
    worker.now += 0.1
    worker.queue.expire()
    assert len(worker.queue) == 0
    worker.ask("next")
    assert worker.queue.is_standing
    worker.begin()
    worker.now += PATIENCE / admission.BURST
    worker.ask("later")
    assert not worker.queue.is_standing


def test_the_queue_has_a_limit():
    worker = Worker(most=2)
    for name in "xyz":
        worker.ask(name)
    assert worker.refused() == ["z"]


def test_clients_take_turns():
    worker = Worker()
    for number in range(4):
        worker.ask(f"many {number}", "greedy")
    worker.ask("one", "b")
    worker.ask("two", "b")
    assert [worker.begin() for _ in range(6)] == ["many 0", "one", "many 1", "two", "many 2", "many 3"]


def test_a_client_that_sends_a_hundred_does_not_take_the_place_of_the_others():
    worker = Worker(most=20)
    for number in range(100):
        worker.ask(("greedy", number), "greedy")
    for number in range(10):
        worker.ask((f"client {number}", 0), f"client {number}")
    assert Counter(name[0] for name in worker.refused()) == {"greedy": 90}
    begun = [worker.begin()[0] for _ in range(11)]
    assert {f"client {number}" for number in range(10)} < {*begun}


def test_low_priority_waits_for_the_others_and_is_refused_first():
    worker = Worker(most=3)
    worker.ask("report", is_low=True)
    worker.ask("x")
    worker.ask("y")
    assert [worker.begin() for _ in range(3)] == ["x", "y", "report"]
    for name in ("other report", "1", "2", "3"):
        worker.ask(name, is_low="report" in name)
    assert worker.refused() == ["other report"]


def test_a_request_whose_client_has_left_is_neither_begun_nor_refused():
    worker = Worker()
    gone = worker.ask("gone")
    worker.ask("here")
    worker.queue.leave(gone)
    worker.queue.leave(gone)
    assert len(worker.queue) == 1
    assert [worker.begin(), worker.begin()] == ["here", None]
    assert worker.outcomes == {"here": "begun"}


def test_waits_end_when_a_check_of_those_that_take_long_finds_that_the_client_has_left():
    worker = Worker()
    worker.ask("gone", port=1)
    worker.ask("here", port=2)
    worker.now += 0.3
    worker.ask("new", port=1)
    worker.queue.drop(lambda port, since: port == 1 and since == worker.now - 0.2, 0.2)
    assert worker.outcomes == {"gone": "refused"}
    assert [worker.begin() for _ in range(3)] == ["here", "new", None]


def test_nothing_is_kept_of_requests_that_have_ended():
    worker = Worker()
    for number in range(1000):
        worker.ask(number, f"client {number % 7}")
        worker.now += 0.01
        if number % 3 == 0:
            worker.begin()
        elif number % 3 == 1:
            worker.queue.leave(worker.ask(("gone", number)))
    worker.now += 1
    worker.queue.expire()
    queue = worker.queue
    kept = (queue._by_age, queue._normal._new, queue._normal._old, queue._low._new, queue._low._old)
    assert [len(each) for each in (queue, *kept)] == [0] * 6


def test_observers_see_the_outcome_and_the_time_of_each_wait(seen):
    observer = lambda outcome, seconds: seen.append((outcome, round(seconds, 3)))  # noqa: E731
    wait_observers.add(observer)
    try:
        worker = Worker(most=2)
        gone = worker.ask("gone")
        worker.ask("begins")
        worker.ask("refused")
        worker.now += 0.125
        worker.queue.leave(gone)
        worker.begin()
    finally:
        wait_observers.discard(observer)
    assert seen == [("refused", 0.0), ("left", 0.125), ("begun", 0.125)]
