"""The machine-learning lifecycle: train, package, validate, deploy, monitor, retrain; knows no platform."""

from lifecycle.source import Source

__all__ = ["Source"]
