"""Logins: not offered."""

from antiphon.dialects.microdot.absent import not_offered

raise not_offered(
    "login", "apps of Antiphon itself have sessions, by app.use(Sessions(store)), and this dialect not yet"
)
