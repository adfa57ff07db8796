"""Support for other frameworks: converting their requests to Antiphon's, Antiphon's responses to theirs, and views for
all of them.
"""
