"""How each kind of file becomes batches: parquet by row groups, text in blocks types found before rows."""

from __future__ import annotations

import queue
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from lifecycle import tables
from lifecycle.csvlayout import Layout, layout

AHEAD = 1  # batch decoded while another is counted; more would only cost memory


def batches(
    kind: str, filesystem: Any, path: str, columns: Sequence[str] | None, words: Sequence[str] = ()
) -> Iterator[pa.RecordBatch]:
    """The rows of one file. words: columns of a CSV file that are text, whatever they look like. Raises TableError for
    a column that is not there."""
    if kind == tables.PARQUET:
        return ahead(_parquet(filesystem, path, columns))
    rows = _csv(filesystem, path, words) if kind == tables.CSV else _json(filesystem, path)
    return _selected(rows, path, columns)


def _selected(rows: Iterator[pa.RecordBatch], path: str, columns: Sequence[str] | None) -> Iterator[pa.RecordBatch]:
    for batch in rows:
        wanted = tables.chosen(columns, batch.schema.names, path)
        yield batch if wanted is None else batch.select(wanted)


def ahead(rows: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same batches, decoded in a thread of their own: parquet's decoder needs no interpreter."""
    line: queue.Queue[Any] = queue.Queue(AHEAD)
    stop = threading.Event()
    thread = threading.Thread(target=_decode, args=(rows, line, stop), name="decode", daemon=True)
    thread.start()
    try:
        while (thing := line.get()) is not None:
            if isinstance(thing, BaseException):
                raise thing
            yield thing
    finally:
        stop.set()
        thread.join()


def _decode(rows: Iterator[pa.RecordBatch], line: queue.Queue[Any], stop: threading.Event) -> None:
    """Put the batches in line, then None; or the exception that ended them."""

    def put(thing: object) -> None:
        while not stop.is_set():
            try:
                line.put(thing, timeout=0.1)
            except queue.Full:
                continue
            return

    try:
        for batch in rows:
            put(batch)
            if stop.is_set():
                return
        put(None)
    except BaseException as problem:  # whatever it is, the reader's own thread must hear of it
        put(problem)


def _parquet(filesystem: Any, path: str, columns: Sequence[str] | None) -> Iterator[pa.RecordBatch]:
    import pyarrow.parquet as pq

    with filesystem.open_input_file(path) as handle:
        schema = pq.read_schema(handle)
        _once(schema.names, path)
        words = [
            field.name for field in schema if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)
        ]
        handle.seek(0)
        file = pq.ParquetFile(handle, read_dictionary=words, pre_buffer=False, buffer_size=_buffer(filesystem))
        wanted = tables.chosen(columns, schema.names, path)
        yield from file.iter_batches(tables.batch_rows(len(wanted or schema.names)), columns=wanted, use_threads=True)


def _buffer(filesystem: Any) -> int:
    """Bytes read at a time of each column: without, a whole row group's worth of every column is held in memory."""
    return 256 << 10 if filesystem.type_name == "local" else 4 << 20


def parquet_columns(filesystem: Any, files: Sequence[str]) -> list[str]:
    """The columns of all files, in the order of their first appearance."""
    import pyarrow.parquet as pq

    names: dict[str, None] = {}
    for name in files:
        names |= dict.fromkeys(_once(pq.read_schema(name, filesystem=filesystem).names, name))
    return list(names)


def parquet_sample(
    filesystem: Any, files: Sequence[str], rows: int | None, columns: Sequence[str] | None
) -> pa.Table | None:
    """Rows from row groups spread over all files: as many groups as it takes. None: so many as decide about cells."""
    import pyarrow.parquet as pq

    from lifecycle.drift.profiles import sample_rows

    wanted = list(columns) if columns is not None else parquet_columns(filesystem, files)
    rows = sample_rows(len(wanted)) if rows is None else rows
    groups: list[tuple[str, int, int]] = []
    for name in files:
        meta = pq.read_metadata(name, filesystem=filesystem)
        groups += [(name, one, meta.row_group(one).num_rows) for one in range(meta.num_row_groups)]
    total = sum(count for _, _, count in groups)
    if total <= rows:
        return None
    step = max(1, len(groups) // max(2, -(-len(groups) * rows // total)))
    chosen = groups[::step][:64]
    each = -(-rows // len(chosen))
    parts: list[pa.Table] = []
    for name, one, count in chosen:
        parts += _thinned(filesystem, name, one, max(1, count // each), wanted)
    return pa.concat_tables(parts, promote_options="permissive")


def _thinned(filesystem: Any, path: str, group: int, thin: int, columns: Sequence[str]) -> Iterator[pa.Table]:
    """Every so manieth row of a row group."""
    import pyarrow.parquet as pq

    with filesystem.open_input_file(path) as handle:
        file = pq.ParquetFile(handle, pre_buffer=False, buffer_size=_buffer(filesystem))
        there = [name for name in columns if name in file.schema_arrow.names]
        rows = tables.batch_rows(len(there))
        for batch in file.iter_batches(rows, row_groups=[group], columns=there):
            yield pa.Table.from_batches([batch.take(pa.array(range(0, len(batch), thin)))])


def _csv(filesystem: Any, path: str, words: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Small files at once. Large ones twice: first to find types that hold for every row, then for the rows."""
    from pyarrow import csv

    found = _layout(filesystem, path)
    parse = csv.ParseOptions(delimiter=found.delimiter, newlines_in_values=True, ignore_empty_lines=not found.alone)
    read = csv.ReadOptions(block_size=tables.BLOCK)
    packing = tables.packing(path)
    text = dict.fromkeys(words, pa.string())

    def convert(types: dict[str, pa.DataType] | None = None) -> csv.ConvertOptions:
        return csv.ConvertOptions(
            column_types=types or text, strings_can_be_null=True, quoted_strings_can_be_null=False,
            decimal_point=found.decimal,
        )  # fmt: skip

    if packing is None and filesystem.get_file_info(path).size <= tables.WHOLE:
        with filesystem.open_input_stream(path) as stream:
            table = csv.read_csv(stream, read_options=read, parse_options=parse, convert_options=convert())
        yield from _clean(table.schema, path, table.to_batches(tables.BATCH))
        return
    types = _types_for_all(filesystem, path, read, parse, convert)
    with filesystem.open_input_stream(path, compression=packing) as stream:
        reader = csv.open_csv(stream, read_options=read, parse_options=parse, convert_options=convert(types))
        yield from _clean(reader.schema, path, reader)


def _layout(filesystem: Any, path: str) -> Layout:
    with filesystem.open_input_stream(path, compression=tables.packing(path)) as stream:
        start: bytes = stream.read(64 << 10)
    return layout(start, ".tsv" in path.lower())


def _types_for_all(filesystem: Any, path: str, read: Any, parse: Any, convert: Any) -> dict[str, pa.DataType]:
    """Types as the first block has them, widened (whole number, number, text) until every block fits."""
    from pyarrow import csv

    types: dict[str, pa.DataType] = {}
    while True:
        with filesystem.open_input_stream(path, compression=tables.packing(path)) as stream:
            reader = csv.open_csv(stream, read_options=read, parse_options=parse, convert_options=convert(types))
            types |= {field.name: field.type for field in reader.schema if not pa.types.is_null(field.type)}
            types |= {field.name: pa.string() for field in reader.schema if pa.types.is_null(field.type)}
            try:
                for _ in reader:
                    pass
                return types
            except pa.ArrowInvalid as problem:
                types = _widened(types, reader.schema, str(problem))


def _widened(types: dict[str, pa.DataType], schema: pa.Schema, problem: str) -> dict[str, pa.DataType]:
    """The column that a conversion error names ("In CSV column #3: ...") gets the next wider type."""
    at = problem.partition("column #")[2].partition(":")[0]
    if not at.isdigit() or int(at) >= len(schema.names):
        raise pa.ArrowInvalid(problem)
    name = schema.names[int(at)]
    if pa.types.is_string(types[name]) or pa.types.is_binary(types[name]):
        raise pa.ArrowInvalid(problem)
    return {**types, name: pa.float64() if pa.types.is_integer(types[name]) else pa.string()}


def _json(filesystem: Any, path: str) -> Iterator[pa.RecordBatch]:
    """At once where small; in blocks with the types of the first where large."""
    from pyarrow import json

    read = json.ReadOptions(block_size=tables.BLOCK)
    packing = tables.packing(path)
    small = packing is None and filesystem.get_file_info(path).size <= tables.WHOLE
    with filesystem.open_input_stream(path, compression=packing) as stream:
        if small:
            table = json.read_json(stream, read_options=read)
            yield from _clean(table.schema, path, table.to_batches(tables.BATCH))
        else:
            reader = json.open_json(stream, read_options=read)
            yield from _clean(reader.schema, path, reader)


def _clean(schema: pa.Schema, path: str, rows: Any) -> Iterator[pa.RecordBatch]:
    """The batches, unless a name comes twice or text is not UTF-8 (pyarrow then takes it for bytes)."""
    _once(schema.names, path)
    for field in schema:
        if pa.types.is_binary(field.type) or pa.types.is_large_binary(field.type):
            raise tables.TableError(f'{path} is not UTF-8 in column "{field.name}"; save it as UTF-8.')
    yield from rows


def _once(names: list[str], path: str) -> list[str]:
    """The names, unless one comes twice."""
    if len(set(names)) < len(names):
        twice = min(name for name, count in Counter(names).items() if count > 1)
        raise tables.TableError(f'{path} has two columns "{twice}".')
    return names
