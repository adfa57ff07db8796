"""The response: its message, headers, files and events, and the results of conditions and ranges."""

import sys

from antiphon.lazy import ExplainedModule

_advice = (
    "`from antiphon import response` imports this module: a handler returns its response, such as"
    " Response(body, status, headers)"
)
sys.modules[__name__].__class__ = ExplainedModule
