"""Tables in the store: the profile and drift commands, what a monitor reads, bounded memory, wrong credentials."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from tests.stores.emulators import BUCKET, Emulator, refusing

ROWS = 20_000
MEASURED = """\
import atexit, pathlib, runpy, sys
told = pathlib.Path("/proc/self/status")
atexit.register(lambda: print("VmHWM:" + told.read_text().partition("VmHWM:")[2].split("\\n")[0], file=sys.stderr))
runpy.run_module("lifecycle", run_name="__main__", alter_sys=True)
"""
PEAK = 700.0  # MB, of a process that reads a file of several hundred


def held(it: Emulator, folder: Path, megabytes: int) -> Iterator[tuple[str, Any]]:
    """What is asked of them, one after the other, and what came of it; AssertionError ends it."""
    files = _made(it, folder)
    for name in files:
        profile = folder / f"{name}.profile"
        code, said, _ = _lifecycle("profile", f"{it.url}/data/{name}", "--out", str(profile))
        assert code == 0, said
        for other, expected in ((name, 0), (f"moved-{name}", 4)):
            code, said, _ = _lifecycle("drift", str(profile), f"{it.url}/data/{other}")
            assert code == expected, (other, code, said)
    yield "profile, and drift of the same and of moved rows, of", files
    yield from _large(it, folder, megabytes)
    yield "what a monitor is given", _arrivals(it)
    yield "there is no such file", _lifecycle("profile", f"{it.url}/data/none.csv", "--out", "/dev/null")[:2]
    with refusing(it, folder) as wrong:
        code, said, _ = _lifecycle("profile", f"{it.url}/data/rows.csv", "--out", "/dev/null", **wrong)
    assert code == 2, said
    assert it.secret not in said
    yield "wrong credentials", said
    it.go_away()
    began = time.monotonic()
    try:
        code, said, _ = _lifecycle("profile", f"{it.url}/data/rows.csv", "--out", "/dev/null")
    finally:
        it.come_back()
    assert code == 2, said
    yield "the store is away", [said, f"{time.monotonic() - began:.0f} s"]


def _made(it: Emulator, folder: Path) -> list[str]:
    """The same rows in each kind of file, and rows that have moved."""
    for moved in (False, True):
        table = _rows(ROWS, moved)
        stem = folder / ("moved-rows" if moved else "rows")
        pq.write_table(table, f"{stem}.parquet")
        pa_csv.write_csv(table, f"{stem}.csv")
        Path(f"{stem}.jsonl").write_bytes(_text(table, "jsonl"))
        for end in ("parquet", "csv", "jsonl"):
            it.files().put_file(f"{stem}.{end}", f"{BUCKET}/data/{stem.name}.{end}")
    return ["rows.parquet", "rows.csv", "rows.jsonl"]


def _rows(count: int, moved: bool = False, seed: int = 1) -> pa.Table:
    dice = np.random.default_rng(seed)
    columns: dict[str, Any] = {f"x{number}": dice.normal(float(moved), 1.0, count) for number in range(10)}
    columns["word"] = dice.choice(["red", "green", "blue"], count)
    return pa.table(columns)


def _large(it: Emulator, folder: Path, megabytes: int) -> Iterator[tuple[str, Any]]:
    """One file of so many megabytes of each kind; the process that profiles it says how much memory it took."""
    for kind in ("parquet", "csv", "jsonl"):
        path = folder / f"large.{kind}"
        _write(path, kind, megabytes)
        it.files().put_file(str(path), f"{BUCKET}/data/{path.name}")
        size = path.stat().st_size / 1e6
        path.unlink()
        began = time.monotonic()
        code, said, peak = _lifecycle("profile", f"{it.url}/data/{path.name}", "--out", str(folder / "large.profile"))
        assert code == 0, said
        assert peak < PEAK, f"{path.name}: {peak:.0f} MB"
        took = f"{size:.0f} MB in {time.monotonic() - began:.0f} s, peak RSS {peak:.0f} MB"
        it.files().rm_file(f"{BUCKET}/data/{path.name}")
        yield f"profile of a large {kind}", took


def _write(path: Path, kind: str, megabytes: int) -> None:
    part, number = _rows(50_000), 0
    if kind == "parquet":
        with pq.ParquetWriter(path, part.schema, compression="none") as writer:
            while path.stat().st_size < megabytes * 1_000_000:
                writer.write_table(_rows(50_000, seed=(number := number + 1)), row_group_size=50_000)
        return
    lines = _text(part, kind)
    with path.open("wb") as file:
        file.write(lines if kind == "jsonl" else lines[: lines.index(b"\n") + 1])
        rows = lines if kind == "jsonl" else lines[lines.index(b"\n") + 1 :]
        while file.tell() < megabytes * 1_000_000:
            file.write(rows)


def _text(table: pa.Table, kind: str) -> bytes:
    if kind == "jsonl":
        return b"".join(json.dumps(row).encode() + b"\n" for row in table.to_pylist())
    sink = pa.BufferOutputStream()
    pa_csv.write_csv(table, sink)
    return bytes(sink.getvalue())


def _lifecycle(*words: str, **environment: str) -> tuple[int, str, float]:
    """Exit code, what was said, and peak memory in MB of `python -m lifecycle ...`."""
    argv = [sys.executable, "-c", MEASURED, *words]
    done = subprocess.run(argv, env={**os.environ, **environment}, capture_output=True, text=True)
    said, _, peak = done.stderr.rpartition("VmHWM:")
    return done.returncode, (done.stdout + said).strip(), int(peak.split()[0]) / 1000


def _arrivals(it: Emulator) -> dict[str, int]:
    """How many rows a monitor reads, of files with a day in their name; and that a changed file is noticed."""
    from lifecycle.arrivals import FileArrivals

    there = it.files()
    for end in ("parquet", "csv", "jsonl"):
        there.cp_file(f"{BUCKET}/data/rows.{end}", f"{BUCKET}/asked/2026-03-01.{end}")
    arrivals = FileArrivals(f"{it.url}/asked/*", Path(), None)
    pieces = arrivals.pieces()
    found = {name.rsplit("/", 1)[-1]: sum(len(one.rows) for one in arrivals.read(name, "")) for name in pieces}
    assert set(found.values()) == {ROWS}, found
    assert len(found) == 3
    there.cp_file(f"{BUCKET}/data/moved-rows.csv", f"{BUCKET}/asked/2026-03-01.csv")
    there.cp_file(f"{BUCKET}/data/rows.csv", f"{BUCKET}/asked/2026-03-02.csv")
    again = arrivals.pieces()
    changed = sorted(name.rsplit("/", 1)[-1] for name, mark in again.items() if pieces.get(name) != mark)
    assert changed == ["2026-03-01.csv", "2026-03-02.csv"], changed
    assert len(FileArrivals(f"{it.url}/asked", Path(), None).pieces()) == 4
    return found
