"""A number for every row that depends on its content alone: the same on every machine, whatever rows are around it."""

import hashlib

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Hashes = npt.NDArray[np.uint64]
NOTHING = np.uint64(0x6E6F7468696E6721)


def row_shares(table: pa.Table) -> npt.NDArray[np.float64]:
    """One number in [0, 1) per row, evenly spread over different rows; equal rows have equal numbers.

    Columns count by name, whatever their order. Whole numbers are equal to the floats of the same value, so that a
    column that turns from one into the other as data grows moves no row.
    """
    total: Hashes = np.zeros(table.num_rows, dtype=np.uint64)
    for name in sorted(table.column_names):
        total = _mix(total ^ _mix(_column(table.column(name)) + _of_bytes(name.encode())))
    return (total >> np.uint64(11)).astype(np.float64) / float(1 << 53)


def _mix(values: Hashes) -> Hashes:
    """The finaliser of splitmix64 (Steele, Lea, Flood 2014): every bit of the input moves half of the output's."""
    with np.errstate(over="ignore"):
        values = values + np.uint64(0x9E3779B97F4A7C15)
        values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _of_bytes(data: bytes) -> np.uint64:
    return np.uint64(int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little"))


def _column(column: pa.ChunkedArray) -> Hashes:
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    empty = column.is_null().to_numpy()
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind):
        hashes = _numbers(column)
    elif pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        moments = column.cast(pa.timestamp("us"), safe=False).cast(pa.int64())
        hashes = _mix(pc.fill_null(moments, 0).to_numpy().astype(np.int64).view(np.uint64))
    else:
        hashes = _texts(column)
    return np.where(empty, NOTHING, hashes)


def _numbers(column: pa.ChunkedArray) -> Hashes:
    values = pc.fill_null(column.cast(pa.float64(), safe=False), 0.0).to_numpy().astype(np.float64)
    values = np.where(np.isnan(values), np.nan, values + 0.0)  # one NaN, and no minus zero
    return _mix(values.view(np.uint64))


def _texts(column: pa.ChunkedArray) -> Hashes:
    """Each different text is hashed once."""
    encoded = column.combine_chunks().dictionary_encode()
    texts = encoded.dictionary.to_pylist()
    known = np.array([_of_bytes(repr(text).encode()) for text in texts] or [NOTHING], dtype=np.uint64)
    codes = pc.fill_null(encoded.indices, 0).to_numpy(zero_copy_only=False)
    hashes: Hashes = known[codes]
    return hashes
