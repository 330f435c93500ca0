"""Addresses of figures that nobody can make up: the path is signed with a key that only this bot has."""

import base64
import hashlib
import hmac
from dataclasses import dataclass, field

KEY = "figures"


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs paths, and knows its own signature again. The key is in no address, and in no repr."""

    key: bytes = field(repr=False)

    def signature(self, path: str) -> str:
        """The path's HMAC-SHA256, as 43 characters that an address may hold."""
        return base64.urlsafe_b64encode(hmac.digest(self.key, path.encode(), "sha256")).rstrip(b"=").decode()

    def knows(self, path: str, given: str) -> bool:
        """Whether `given` is the path's signature; compared in constant time."""
        return hmac.compare_digest(self.signature(path).encode(), given.encode(errors="replace"))

    def signed(self, path: str) -> str:
        """The path with its signature."""
        return f"{path}?signature={self.signature(path)}"


def signer_from(text: str) -> Signer:
    """With a key made from a secret that somebody chose."""
    return Signer(hashlib.sha256(b"figures:" + text.encode()).digest())


def figure_path(run: int, name: str, theme: str) -> str:
    """Where a run's figure is found, without the signature."""
    return f"/figures/{run}/{name}.{theme}.svg"
