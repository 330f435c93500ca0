"""What the tests of doctor ask of its findings."""

from collections.abc import Iterator

from bot.doctor import Finding, Health


def health(findings: list[Finding]) -> list[Health]:
    return [finding.health for finding in findings]


def one(findings: Iterator[Finding]) -> Finding:
    (found,) = findings
    return found
