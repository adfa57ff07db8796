"""Media types of files by their first bytes, with the matching file extensions."""

import re
from typing import NamedTuple

LONGEST = 16
"""The number of first bytes that show the type of a file."""


class FileKind(NamedTuple):
    """A media type, its file extensions, and the first bytes of its files."""

    mimetype: str
    suffixes: tuple[str, ...]
    begins: re.Pattern[bytes]


def _kind(mimetype: str, suffixes: str, begins: bytes) -> FileKind:
    return FileKind(mimetype, tuple(suffixes.split()), re.compile(begins, re.DOTALL))


_KINDS = (
    _kind("image/jpeg", ".jpg .jpeg", rb"\xff\xd8\xff"),
    _kind("image/png", ".png", rb"\x89PNG\r\n\x1a\n"),
    _kind("image/gif", ".gif", rb"GIF8[79]a"),
    _kind("image/webp", ".webp", rb"RIFF....WEBP"),
    _kind("audio/wav", ".wav", rb"RIFF....WAVE"),
    _kind("video/x-msvideo", ".avi", rb"RIFF....AVI "),
    _kind("image/bmp", ".bmp", rb"BM"),
    _kind("image/tiff", ".tiff .tif", rb"II\*\x00|MM\x00\*"),
    _kind("image/x-icon", ".ico", rb"\x00\x00\x01\x00"),
    _kind("image/svg+xml", ".svg", rb"<\?xml|<svg"),
    _kind("audio/mpeg", ".mp3", rb"ID3|\xff\xfb|\xff\xf3"),
    _kind("audio/flac", ".flac", rb"fLaC"),
    _kind("audio/ogg", ".ogg .oga", rb"OggS"),
    _kind("audio/aac", ".aac", rb"\xff[\xf1\xf9]"),
    _kind("video/quicktime", ".mov", rb"....ftypqt  "),
    _kind("audio/mp4", ".m4a", rb"....ftypM4A"),
    _kind("video/mp4", ".mp4 .m4v", rb"....ftyp"),
    _kind("video/webm", ".webm .mkv", rb"\x1aE\xdf\xa3"),
    _kind("application/pdf", ".pdf", rb"%PDF"),
    _kind("application/zip", ".zip .docx .xlsx .pptx .jar .apk .odt .ods", rb"PK\x03\x04"),
    _kind("application/msword", ".doc .xls .ppt", rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
    _kind("text/rtf", ".rtf", rb"\{\\rtf"),
    _kind("application/gzip", ".gz .gzip", rb"\x1f\x8b"),
    _kind("application/x-bzip2", ".bz2", rb"BZh"),
    _kind("application/x-rar-compressed", ".rar", rb"Rar!\x1a\x07"),
    _kind("application/x-7z-compressed", ".7z", rb"7z\xbc\xaf'\x1c"),
)


def kind_of(start: bytes) -> FileKind:
    """Return the kind of a file by its first bytes. Raises ValueError if it is unknown."""
    found = next((kind for kind in _KINDS if kind.begins.match(start)), None)
    if found is None:
        raise ValueError("Unknown or unsupported file type")
    return found
