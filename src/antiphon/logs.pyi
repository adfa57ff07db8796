from antiphon.features.logs.formats import JSONFormatter, RequestIDFilter, TextFormatter

__all__ = ["JSONFormatter", "RequestIDFilter", "TextFormatter"]
