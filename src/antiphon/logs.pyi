from antiphon.features.logs.formats import JSONFormatter, RequestIdFilter, TextFormatter

__all__ = ["JSONFormatter", "RequestIdFilter", "TextFormatter"]
