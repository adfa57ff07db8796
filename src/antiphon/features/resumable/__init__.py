"""Resumable uploads (draft-ietf-httpbis-resumable-upload): one whole request, from as many parts as it takes."""

__reads__ = "named"
