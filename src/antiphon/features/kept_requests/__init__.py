"""Requests that failed, kept without their secrets, so that they can be answered again and become tests."""
