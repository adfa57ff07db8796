"""Support for other frameworks: converting their requests to Antiphon's and Antiphon's responses to theirs, and views
that work in all of them.
"""

__reads__ = "anything"
