"""Requests that failed, kept without their secrets, so that they can be replayed and become tests."""
