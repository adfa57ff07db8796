"""The backend for Google accounts, which App Engine provided."""

raise ImportError(
    "kay.auth.backends.googleaccount needs App Engine: use kay.auth.backends.datastore.DatastoreBackend, or a class of"
    " your own with get_user(request)",
    name=__name__,
)
