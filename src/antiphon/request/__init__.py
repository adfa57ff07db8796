"""The request: its head, body and dependencies, and the trusted proxies that report where it came from."""

import sys

from antiphon.lazy import ExplainedModule

_advice = (
    "`from antiphon import request` imports this module: a handler gets its request as the first argument, and"
    " current_request() returns it elsewhere"
)
sys.modules[__name__].__class__ = ExplainedModule
