"""The platform's limit on use: answers that come with a wait, and refusals with 429, when a story asks for them."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from .errors import Refusal

_LIMIT = 200  # TSTUs in five minutes, per identity


@dataclass(slots=True)
class Throttle:
    """For the next `times` calls: seconds to wait as Retry-After, on answers that are good, or with 429 if refusing."""

    seconds: int = 0
    times: int = 0
    refusing: bool = False

    def headers(self) -> Mapping[str, str]:
        """The headers for one call, which uses up one of the times; empty when there is no limit in force."""
        if self.times <= 0:
            return {}
        self.times -= 1
        return {
            "Retry-After": str(self.seconds),
            "X-RateLimit-Resource": "Core",
            "X-RateLimit-Delay": f"{self.seconds:.1f}",
            "X-RateLimit-Limit": str(_LIMIT),
            "X-RateLimit-Remaining": "0",
            "X-RateLimit-Reset": str(int(time.time()) + self.seconds),
        }


def too_much() -> Refusal:
    text = (
        "TF400733: The request has been canceled: Request was blocked due to exceeding usage of resource "
        "'Core' in namespace 'User'."
    )
    return Refusal(429, text, "RequestBlockedException", home="Microsoft.TeamFoundation.Framework.Server")
