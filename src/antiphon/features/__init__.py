"""Features for `app.use`, each independent of the others."""

from antiphon.lazy import import_on_use

__all__, __getattr__ = import_on_use(
    __name__,
    {
        "features.compression": "Compression",
        "features.cors": "Cors",
        "features.security_headers": "ContentSecurityPolicy PermissionsPolicy SecurityHeaders StrictTransportSecurity",
        "features.upload_progress": "UploadProgress",
    },
)
