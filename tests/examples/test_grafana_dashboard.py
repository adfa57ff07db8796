"""The dashboard for Grafana: its expressions name series that the page of metrics prints."""

import json
import re
from pathlib import Path

import pytest

from antiphon import App
from antiphon.features import Metrics
from antiphon.testing import Client
from tests.helpers.figures import Figures
from tests.helpers.rows import rows

DASHBOARD = json.loads((Path(__file__).parents[2] / "examples/deploy/grafana-dashboard.json").read_text())
QUERIES = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
QUERIES += [each["query"]["query"] for each in DASHBOARD["templating"]["list"] if each["type"] == "query"]
NAMED = re.compile(r"\b(?:http_server|antiphon)_\w+")
LABELS = re.compile(r"by \(([^)]*)\)|\{\{(\w+)\}\}|(\w+)=~?\"")
PROMETHEUS_OWN = {"job", "le"}


@pytest.fixture(scope="module")
def page():
    app = App()
    metrics = Metrics()
    app.use(metrics)
    Client(app).get("/metrics")
    return Figures(metrics.text())


@rows("query", QUERIES)
def test_each_expression_names_series_of_the_page_with_their_labels(page, query):
    labels = {label for found in LABELS.findall(query) for each in found for label in each.replace(",", " ").split()}
    names = {*NAMED.findall(query)} - labels
    assert names
    for name in names:
        samples = [each for each in page.samples if each.name == name]
        assert samples, f"the page has no {name}"
        assert labels - PROMETHEUS_OWN <= samples[0].labels.keys()


def test_each_panel_has_a_place_and_an_id_of_its_own():
    panels = DASHBOARD["panels"]
    assert len({each["id"] for each in panels}) == len(panels)
    assert len({(each["gridPos"]["x"], each["gridPos"]["y"]) for each in panels}) == len(panels)


def test_legends_name_labels_by_which_the_expression_sums():
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            for label in re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]):
                assert re.search(rf"by \([^)]*\b{label}\b", target["expr"])
