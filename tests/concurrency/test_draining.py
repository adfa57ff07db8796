"""Announcements: news that is given once."""

from antiphon.concurrency.process import Announcement


def test_subscribers_are_called_once_in_order():
    news, called = Announcement(), []
    news.subscribe(lambda: called.append(1))
    news.subscribe(lambda: called.append(2))
    assert not news.is_given
    news.give()
    news.give()
    assert (called, news.is_given) == ([1, 2], True)


def test_who_comes_late_is_called_at_once():
    news, called = Announcement(), []
    news.give()
    withdraw = news.subscribe(lambda: called.append(1))
    withdraw()
    assert called == [1]


def test_a_subscriber_may_subscribe_and_withdraw():
    news, called = Announcement(), []
    withdraw = news.subscribe(lambda: called.append("withdrawn"))
    withdraw()
    news.subscribe(lambda: news.subscribe(lambda: called.append("late")))
    news.give()
    assert called == ["late"]
