from antiphon.features.compression import Compression
from antiphon.features.cors import Cors
from antiphon.features.security_headers import (
    ContentSecurityPolicy,
    PermissionsPolicy,
    SecurityHeaders,
    StrictTransportSecurity,
)
from antiphon.features.upload_progress import UploadProgress

__all__ = [
    "Compression",
    "ContentSecurityPolicy",
    "Cors",
    "PermissionsPolicy",
    "SecurityHeaders",
    "StrictTransportSecurity",
    "UploadProgress",
]
