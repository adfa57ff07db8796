"""Figures of a page of metrics, read by Prometheus' own parsers."""

from typing import NamedTuple

from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_open_metrics
from prometheus_client.parser import text_string_to_metric_families as read_prometheus


class Sample(NamedTuple):
    name: str
    labels: dict[str, str]
    value: float


class Figures:
    """The samples of a page. Parsing it is a check: the parser of OpenMetrics is a strict one."""

    def __init__(self, text: str) -> None:
        read = read_open_metrics if text.endswith("# EOF\n") else read_prometheus
        self.families = {family.name: family for family in read(text)}
        self.samples = [Sample(*each[:3]) for family in self.families.values() for each in family.samples]

    def sum(self, name: str, **labels: str) -> float:
        found = [each.value for each in self.samples if each.name == name and labels.items() <= each.labels.items()]
        assert found, f"the page has no {name} with {labels}"
        return sum(found)

    def requests(self, **labels: str) -> float:
        return self.sum(
            "http_server_request_duration_seconds_count", **{NAMES[key]: value for key, value in labels.items()}
        )


NAMES = {"method": "http_request_method", "route": "http_route", "status": "http_response_status_code"}
