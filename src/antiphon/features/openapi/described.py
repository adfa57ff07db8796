"""Descriptions of other frameworks' applications: their routes in Antiphon's terms, and their responses."""

from typing import Any

from antiphon import App, RouteKey
from antiphon.features.openapi.code.responses import HTML, JSON, PLAIN, PROBLEM
from antiphon.features.openapi.code.values import TEXT
from antiphon.features.openapi.code.words import DescribedApp
from antiphon.features.openapi.contract import Contract
from antiphon.features.openapi.responses import Given
from antiphon.features.openapi.schemas import Schema


def app_of(described: DescribedApp) -> App:
    """Return an Antiphon application with the described routes. It handles no requests."""
    app = App(cross_site_writes=True)
    for each in described.routes:
        app.route(each.pattern, each.methods, name=each.name, host=each.host, meta={VIEW: each.view})(lambda _: None)
    return app


VIEW = RouteKey[Any]("view")
"""The view of a described route. It has the arguments of its framework, and is read, not called."""


def in_words_of(described: DescribedApp, contract: Contract) -> None:
    """Set the framework's media types in a contract's responses, and the blueprint of its route."""
    route = next(each for each in described.routes if each.view is contract.route.handler)
    contract.route = contract.route._replace(blueprint=route.blueprint)

    def rendered(given: Given) -> Given:
        if given.media == JSON and route.renders != JSON:
            return given._replace(media=route.renders, body=TEXT)
        return given._replace(media=described.text) if given.media == PLAIN else given

    contract.responses = [rendered(each) for each in contract.responses]


def with_pages_of_errors(content: Schema) -> Schema:
    """Return a document whose errors are pages instead of problem details, as in other frameworks."""
    for path in content["paths"].values():
        for operation in path.values():
            for response in operation["responses"].values():
                if response.get("content", {}).pop(PROBLEM, None):
                    response["content"][HTML] = {"schema": {"type": "string"}}
    content["components"]["schemas"].pop("Problem", None)
    return content
