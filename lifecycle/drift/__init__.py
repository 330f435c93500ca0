"""Is what arrives still like what the model was trained on? Profiles that add up, and an alarm with a known error rate.

What computes (numpy, scipy) is imported when first asked for: the names here cost an idle process nothing.
"""

from typing import TYPE_CHECKING

from lifecycle.drift.report import Alarm, ColumnDrift, DriftReport, Override, Watch
from lifecycle.drift.standing import Call, Signal, Standing, standing

if TYPE_CHECKING:
    from lifecycle.drift.comparing import compare
    from lifecycle.drift.files import profile_files
    from lifecycle.drift.profiles import Profile, profile

__all__ = [
    "Alarm",
    "Call",
    "ColumnDrift",
    "DriftReport",
    "Override",
    "Profile",
    "Signal",
    "Standing",
    "Watch",
    "compare",
    "profile",
    "profile_files",
    "standing",
]

_HEAVY = {"compare": "comparing", "Profile": "profiles", "profile": "profiles", "profile_files": "files"}


def __getattr__(name: str) -> object:
    if name not in _HEAVY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{_HEAVY[name]}"), name)
