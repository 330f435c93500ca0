"""Values of whatever type read as training's kind: as numbers, as texts, or as neither."""

from __future__ import annotations

from collections.abc import Container

import numpy as np
import pyarrow as pa

TRUTHS = {"true": "true", "1": "true", "false": "false", "0": "false"}


def spelled(word: str, known: Container[str]) -> str:
    """The same truth as training wrote it: True, true and TRUE are one, and so is 1 where training had truths alone."""
    truth = TRUTHS.get(word.lower())
    if word in known or truth is None:
        return word
    return next((one for one in (truth, truth.title(), truth.upper()) if one in known), word)


def as_numbers(values: pa.Array) -> pa.Array | None:
    """Numbers as they are; text where all of it reads as numbers; None if that does not work."""
    kind = values.type
    if pa.types.is_dictionary(kind):
        values, kind = values.dictionary_decode(), kind.value_type
    if pa.types.is_floating(kind) and kind.bit_width >= 32:
        return values
    if pa.types.is_temporal(kind) or pa.types.is_nested(kind):
        return None
    try:
        return values if pa.types.is_integer(kind) else values.cast(pa.float64())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None


def as_texts(values: pa.Array) -> pa.Array | None:
    """Texts, plain or dictionary; numbers as they are written, whole ones without a point; None if there is no text."""
    kind = values.type
    if pa.types.is_dictionary(kind):
        if is_text(kind.value_type) and not pa.types.is_string_view(kind.value_type):
            return values
        values, kind = values.dictionary_decode(), kind.value_type
    if pa.types.is_nested(kind):
        return None
    try:
        if pa.types.is_floating(kind):
            numbers = values.drop_null().to_numpy(zero_copy_only=False)
            if (np.isfinite(numbers) & (numbers == np.rint(numbers)) & (np.abs(numbers) < 2**53)).all():
                values = values.cast(pa.int64())
        return values.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None


def is_text(kind: pa.DataType) -> bool:
    """Text of whatever layout."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def kind_words(kind: pa.DataType) -> str:
    """What a column holds, as one says it."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if is_text(kind):
        return "text"
    return "points in time" if pa.types.is_temporal(kind) else str(kind)
