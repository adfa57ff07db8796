"""Signed messages (RFC 9421, RFC 9530), which prove who sent a request and that it is unchanged and was sent only once,
and webhooks.
"""

__reads__ = "named"
