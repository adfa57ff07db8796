"""Channels: messages from any process to all listeners, kept for clients that reconnect."""

__reads__ = "named"
