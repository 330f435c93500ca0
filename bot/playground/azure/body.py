"""A request's JSON object, read by type: what has the wrong type is refused with 400, as the service's binding does."""

from typing import Any

from .errors import Refusal, invalid


class Body(dict[str, Any]):
    """An object out of a request. Every reader takes a missing name and null as absent."""

    def text(self, name: str, default: str = "") -> str:
        value = self.get(name)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise _wrong(name, value)
        return str(value)

    def number(self, name: str, default: int) -> int:
        value = self.get(name)
        if value is None:
            return default
        try:
            return int(value)
        except (TypeError, ValueError):
            raise _wrong(name, value) from None

    def object(self, name: str) -> "Body":
        value = self.get(name)
        if value is not None and not isinstance(value, dict):
            raise _wrong(name, value)
        return Body(value or {})

    def objects(self, name: str) -> "list[Body]":
        return [Body(value) for value in self._list(name, dict)]

    def texts(self, name: str) -> list[str]:
        return [str(value) for value in self._list(name, str)]

    def numbers(self, name: str) -> list[int]:
        return [int(value) for value in self._list(name, int)]

    def _list(self, name: str, kind: type) -> list[Any]:
        values = self.get(name)
        if values is None:
            return []
        if not isinstance(values, list) or not all(isinstance(value, kind) for value in values):
            raise _wrong(name, values)
        return values


def _wrong(name: str, value: Any) -> Refusal:
    return invalid(f"Value {value} does not match the expected type of {name}.")
