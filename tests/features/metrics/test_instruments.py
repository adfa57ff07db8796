"""Metrics of an application's own."""

from threading import Thread

import pytest

from antiphon.features import Metrics
from tests.helpers.figures import Figures
from tests.helpers.rows import rows


@pytest.fixture
def metrics():
    return Metrics(max_series=3)


def test_a_counter_counts_by_labels(metrics):
    orders = metrics.counter("shop_orders", "Orders taken", ["kind", "paid"])
    orders.add(kind="lamp", paid=True)
    orders.add(2, paid=True, kind="lamp")
    orders.add(0, kind='a "b"\\\n', paid=False)
    page = Figures(metrics.text(open_metrics=True))
    assert page.sum("shop_orders_total", kind="lamp", paid="True") == 3
    assert page.sum("shop_orders_total", kind='a "b"\\\n') == 0


def test_two_that_define_a_counter_alike_share_it(metrics):
    for _ in range(2):
        metrics.counter("shop_orders", "Orders taken", ["kind"]).add(kind="lamp")
    assert Figures(metrics.text()).sum("shop_orders_total", kind="lamp") == 2
    with pytest.raises(ValueError, match="two metrics named shop_orders"):
        metrics.counter("shop_orders", "Orders", ["kind"])


def test_a_gauge_is_set_and_changed(metrics):
    queue = metrics.gauge("shop_queue", "Orders that wait")
    queue.set(2.5)
    queue.add(-3)
    assert Figures(metrics.text()).sum("shop_queue") == -0.5


def test_a_histogram_counts_values_up_to_each_bound(metrics):
    weights = metrics.histogram("shop_weight_grams", "Weights", ["kind"], bounds=[100, 1000], unit="grams")
    for value in (50, 100, 100.5, 5000):
        weights.observe(value, kind="lamp")
    page = Figures(metrics.text(open_metrics=True))
    counts = [page.sum("shop_weight_grams_bucket", le=bound) for bound in ("100.0", "1000.0", "+Inf")]
    assert counts == [2, 3, 4]
    assert (page.sum("shop_weight_grams_count"), page.sum("shop_weight_grams_sum")) == (4, 5250.5)


def test_sets_of_labels_above_the_bound_are_counted_together(metrics):
    orders = metrics.counter("shop_orders", "Orders taken", ["kind"])
    for number in range(10):
        orders.add(kind=f"kind-{number}")
    orders.add(kind="kind-0")
    page = Figures(metrics.text())
    assert page.sum("shop_orders_total", kind="kind-0") == 2
    assert page.sum("shop_orders_total", otel_metric_overflow="true") == 7
    assert page.sum("shop_orders_total") == 11


def test_sets_of_labels_for_which_a_file_has_no_room_are_counted_together():
    metrics = Metrics(max_series=10**6, size=2**16)
    orders = metrics.counter("shop_orders", "Orders taken", ["kind"])
    for number in range(2000):
        orders.add(kind=f"{number} {'x' * 500}")
    page = Figures(metrics.text())
    assert page.sum("shop_orders_total") == 2000
    assert page.sum("shop_orders_total", otel_metric_overflow="true") > 1000


def test_threads_lose_nothing(metrics):
    orders = metrics.counter("shop_orders", "Orders taken", ["kind"])
    weights = metrics.histogram("shop_weight_grams", "Weights", bounds=[100])

    def count():
        for number in range(2000):
            orders.add(kind=str(number % 2))
            weights.observe(number % 200)

    threads = [Thread(target=count) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    page = Figures(metrics.text())
    assert page.sum("shop_orders_total") == page.sum("shop_weight_grams_count") == 16000
    assert page.sum("shop_weight_grams_sum") == 8 * 10 * sum(range(200))


@rows(
    "name, options, message",
    ("shop-orders", {}, "letters, digits and underscores: 'shop-orders'"),
    ("shop_orders_total", {}, "leave it out"),
    ("shop_orders", {"labels": ["le"]}, "'le' of shop_orders has a special meaning"),
    ("shop_orders", {"labels": ["__kind"]}, "'__kind' of shop_orders"),
    ("shop_orders", {"labels": ["kind", "kind"]}, "a duplicate label"),
    ("shop_orders", {"unit": "bytes"}, "must end with its unit: shop_orders_bytes"),
    ("http_server_active_requests", {}, "two metrics named http_server_active_requests"),
)
def test_names_are_those_of_open_metrics(metrics, name, options, message):
    with pytest.raises(ValueError, match=message):
        metrics.counter(name, "Help", **options)


@rows("bounds", [[], [1, 1], [2, 1], [1, float("inf")], range(101), [float("nan")]])
def test_bounds_of_buckets_rise(metrics, bounds):
    with pytest.raises(ValueError, match="increasing numbers"):
        metrics.histogram("shop_weights", "Weights", bounds=bounds)


@pytest.mark.parametrize("labels", [{}, {"kind": 1, "more": 2}, {"more": 1}])
def test_labels_have_to_be_those_of_the_metric(metrics, labels):
    orders = metrics.counter("shop_orders", "Orders taken", ["kind"])
    with pytest.raises(TypeError, match="shop_orders takes kind, not"):
        orders.add(**labels)


@pytest.mark.parametrize(("amount", "error"), [(-1, ValueError), (0.5, TypeError), ("1", TypeError)])
def test_a_counter_counts_up_by_whole_numbers(metrics, amount, error):
    with pytest.raises(error, match="counter"):
        metrics.counter("shop_orders", "Orders taken").add(amount)


def test_a_histogram_counts_numbers(metrics):
    with pytest.raises(ValueError, match="NaN"):
        metrics.histogram("shop_weights", "Weights").observe(float("nan"))
