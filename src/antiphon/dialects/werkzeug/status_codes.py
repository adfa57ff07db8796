"""The reason phrases of status codes."""

from antiphon.http.status import PHRASES

HTTP_STATUS_CODES: dict[int, str] = {code: phrase for code, phrase in PHRASES.items() if code != 499} | {
    203: "Non Authoritative Information",
    207: "Multi Status",
    306: "Switch Proxy",
    413: "Request Entity Too Large",
    414: "Request URI Too Long",
    416: "Requested Range Not Satisfiable",
    422: "Unprocessable Entity",
    449: "Retry With",
    511: "Network Authentication Failed",
}
"""Reason phrases as Werkzeug has them; some are older than today's RFCs."""
