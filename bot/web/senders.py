"""Whether the sender of a webhook knows our secret; compared in constant time, on bytes."""

import base64
import binascii
import hmac
from collections.abc import Sequence

from bot.web.hooks import Header, Verify


def github_signature(secrets: Sequence[str]) -> Verify:
    """Checks X-Hub-Signature-256, an HMAC of the raw body, with any of the secrets (several while they are changed).

    Raises ValueError for no secret or an empty one: that would let everybody in.
    """
    keys = _keys(secrets)

    def verify(header: Header, body: bytes) -> bool:
        given = _bytes(header("x-hub-signature-256"))
        made = [b"sha256=" + hmac.digest(key, body, "sha256").hex().encode() for key in keys]
        return _any_equal(given, made)

    return verify


def azure_credentials(basic: Sequence[tuple[str, str]] = (), header: str = "", values: Sequence[str] = ()) -> Verify:
    """Checks the (user, password) pairs of basic authentication, or that the header named so has one of the values.

    Azure DevOps signs nothing; either is enough. Raises ValueError if there is neither, or an empty secret.
    """
    if any(not password for _, password in basic):
        raise ValueError("an empty webhook password would let everybody in")
    pairs = [f"{user}:{password}".encode() for user, password in basic]
    keys = _keys(values) if header or not pairs else []
    name = header.lower()

    def verify(given: Header, body: bytes) -> bool:
        del body  # nothing in it proves anything
        by_password = _any_equal(_basic(_bytes(given("authorization"))), pairs)
        by_header = _any_equal(_bytes(given(name)), keys)
        return by_password or by_header

    return verify


def _keys(secrets: Sequence[str]) -> list[bytes]:
    if not secrets or not all(secrets):
        raise ValueError("a webhook without a secret would let everybody in")
    return [secret.encode() for secret in secrets]


def _bytes(value: str | None) -> bytes:
    """A header's bytes, nothing where there is none."""
    return (value or "").encode("utf-8", "surrogateescape")


def _basic(header: bytes) -> bytes:
    """The user:password of basic authentication, or nothing."""
    scheme, _, coded = header.strip().partition(b" ")
    if scheme.lower() != b"basic":
        return b""
    try:
        return base64.b64decode(coded.strip(), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _any_equal(given: bytes, wanted: Sequence[bytes]) -> bool:
    """Takes as long for the first of them as for the last, and for none."""
    return sum(hmac.compare_digest(given, secret) for secret in wanted) > 0
