"""Addresses of places that several machines share, as app.yaml may name them."""

import re
from urllib.parse import urlsplit

PLACE = re.compile(r"[a-z][a-z0-9+.-]*://[^\s?#]+")


def read_place(text: str) -> str:
    """The address of a folder or an object store, or nothing. Raises ValueError, with what was expected."""
    if text and not PLACE.fullmatch(text):
        raise ValueError('expected file:///FOLDER, or an object store such as s3://BUCKET/FOLDER, or ""')
    if urlsplit(text).username is not None:
        raise ValueError("a secret does not belong into this file; the store's own environment variables hold it")
    return text
