"""The command line: profile, drift and judge on files; the same code that the bot runs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn

from lifecycle import manual, outputs, printed

if TYPE_CHECKING:
    import pyarrow as pa

    from lifecycle.drift import Profile

NOTHING, DONE, DOUBT, BAD = 2, 0, 3, 4


class Parser(argparse.ArgumentParser):
    """argparse, saying one sentence instead of a usage block."""

    def error(self, message: str) -> NoReturn:
        """Exit 2."""
        self.exit(NOTHING, f"{self.prog}: {message}. Try {self.prog} --help.\n")

    def print_help(self, file: object = None) -> None:
        """On standard output, whoever reads it and for how long."""
        outputs.say(self.format_help().rstrip())


def main(argv: Sequence[str] | None = None) -> int:
    """The exit status: 0 good, 2 nothing could be judged, 3 doubtful, 4 bad."""
    try:
        chosen = _parser().parse_args(argv)
        status, text = chosen.run(chosen)
        outputs.say(text)
        return int(status)
    except KeyboardInterrupt:
        return _sorry("interrupted.", 130)
    except (ValueError, OSError) as problem:
        return _sorry(str(problem))
    except MemoryError:
        return _sorry("the data does not fit into memory.")
    except Exception as problem:  # whoever runs this in a CI needs a sentence, not our stack
        return _sorry(f"a mistake of this program, please report it: {type(problem).__name__}: {problem}")


def _sorry(sentence: str, status: int = NOTHING) -> int:
    print(f"lifecycle: {' '.join(sentence.split())}", file=sys.stderr)
    return status


def _parser() -> Parser:
    form = argparse.RawDescriptionHelpFormatter
    parser = Parser("python -m lifecycle", description=manual.TOP, formatter_class=form, allow_abbrev=False)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=Parser)
    _add_profile(commands)
    _add_drift(commands)
    _add_judge(commands)
    return parser


def _add_profile(commands: Any) -> None:
    one = commands.add_parser(
        "profile", description=manual.PROFILE, epilog=manual.PROFILE_MORE, help="summarise training data once",
        formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False,
    )  # fmt: skip
    one.add_argument("data", nargs="+", metavar="DATA", help="a table: file, folder or URL")
    one.add_argument("--out", required=True, metavar="PROFILE", help="the file to write")
    _add_names(one, "--exclude", "columns to leave out, such as the target")
    _add_names(one, "--prediction", "columns that hold the model's answers (default: prediction)")
    one.set_defaults(run=_profile)


def _add_drift(commands: Any) -> None:
    one = commands.add_parser(
        "drift", description=manual.DRIFT, epilog=manual.DRIFT_MORE, help="hold new data against a profile",
        formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False,
    )  # fmt: skip
    one.add_argument("profile", metavar="PROFILE", help="what python -m lifecycle profile wrote")
    one.add_argument("data", nargs="+", metavar="DATA", help="a table: file, folder or URL")
    one.add_argument("--json", action="store_true", help="print JSON")
    _add_names(one, "--ignore", "columns not to look at")
    one.add_argument("--psi-warn", type=float, default=0.1, metavar="X", help="corrected PSI that warns (default: 0.1)")
    one.add_argument("--psi-alarm", type=float, default=0.2, metavar="X", help="... that alarms (default: 0.2)")
    one.add_argument(
        "--p", type=float, default=0.01, metavar="P", help="adjusted p below which it counts (default: 0.01)"
    )
    one.add_argument("--usual-rows", type=float, metavar="N", help="warn under half of it and over double")
    one.set_defaults(run=_drift)


def _add_judge(commands: Any) -> None:
    one = commands.add_parser(
        "judge", description=manual.JUDGE, epilog=manual.JUDGE_MORE, help="candidate against champion",
        formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False,
    )  # fmt: skip
    one.add_argument("--labels", required=True, metavar="LABELS", help='a table with the column "label"')
    one.add_argument("--candidate", required=True, metavar="CANDIDATE", help='a table with the column "prediction"')
    one.add_argument(
        "--champion", metavar="CHAMPION", help="the same; without it the candidate is held against a dummy"
    )
    one.add_argument("--metric", required=True, metavar="METRIC", help="see METRICS below")
    one.add_argument(
        "--margin", metavar="M", help="0.005, or 2%% of the champion's value (default: 0.005, or 1%% of a loss)"
    )
    one.add_argument("--require-improvement", action="store_true", help="pass only what is certainly better")
    one.add_argument("--at-least", type=float, metavar="X", help="fail a candidate whose value is lower")
    one.add_argument("--at-most", type=float, metavar="X", help="fail a candidate whose value is higher")
    one.add_argument("--confidence", type=float, default=0.95, metavar="C", help="of the intervals (default: 0.95)")
    _add_rows(one)
    one.add_argument("--dummy", action="store_true", help="require that a dummy is beaten, too")
    one.add_argument("--json", action="store_true", help="print JSON")
    one.set_defaults(run=_judge)


def _add_rows(one: argparse.ArgumentParser) -> None:
    """Which rows belong together, and what else is known of them."""
    one.add_argument(
        "--positive", metavar="CLASS", help="the class that probabilities are of (default: the last in order)"
    )
    one.add_argument(
        "--features", metavar="TABLE", help="the held-back rows' columns, searched for slices that got worse"
    )
    one.add_argument("--key", metavar="COLUMN", help="a column of all tables that says which rows belong together")
    one.add_argument(
        "--slices",
        nargs="+",
        action="extend",
        default=[],
        metavar="A,B",
        help="columns to slice by, of TABLE or LABELS",
    )
    one.add_argument("--blocks", metavar="COLUMN", help="rows with equal values (days for times) depend on each other")


def _add_names(parser: argparse.ArgumentParser, option: str, words: str) -> None:
    parser.add_argument(option, type=_names, action="extend", default=[], metavar="A,B", help=words)


def _names(text: str) -> list[str]:
    """The parts, and all of it: a column may have a comma in its name."""
    return [text, *(name.strip() for name in text.split(",") if name.strip() not in ("", text))]


def _slices(asked: Sequence[str], columns: Sequence[str]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for text in asked:
        found |= dict.fromkeys([text] if text in columns else _names(text)[1:] or [text])
    return tuple(found)


def _profile(chosen: argparse.Namespace) -> tuple[int, str]:
    from lifecycle import tables
    from lifecycle.drift import profile_files
    from lifecycle.drift.columns import Unwatched
    from lifecycle.drift.profiles import PREDICTION

    sources = [tables.source(one) for one in chosen.data]
    outputs.check_out(chosen.out, [name for one in sources for name in one.files])
    made = profile_files(sources, exclude=chosen.exclude, prediction=chosen.prediction or PREDICTION)
    if not made.rows:
        raise tables.TableError(f"{chosen.data[0]} has no rows.")
    skipped = [f"{one.name} ({one.why})" for one in made.columns.values() if isinstance(one, Unwatched)]
    if len(skipped) == len(made.columns):
        raise tables.TableError(f"{chosen.data[0]} has no column that can be watched: {', '.join(skipped[:12])}.")
    outputs.write(chosen.out, made.to_bytes())
    lines = [f"{chosen.out}: {_rows(made.rows)}, {len(made.columns) - len(skipped)} columns watched."]
    return DONE, "\n".join(lines + [f"Not watched: {one}." for one in skipped])


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"


def _drift(chosen: argparse.Namespace) -> tuple[int, str]:
    from lifecycle import tables
    from lifecycle.drift import Watch, compare, profile_files

    reference = _reference(chosen.profile)
    watch = Watch(
        chosen.psi_warn, chosen.psi_alarm, chosen.p, ignore=tuple(chosen.ignore), usual_rows=chosen.usual_rows
    )
    window = profile_files([tables.source(one) for one in chosen.data], like=reference)
    if not window.rows:
        raise tables.TableError(f"{chosen.data[0]} has no rows.")
    if not any(name in window.columns for name in reference.columns):
        raise tables.TableError(f"{chosen.data[0]} has none of the profile's columns.")
    if reference.rows < watch.min_rows:
        few = f"fewer than {watch.min_rows} are too few to compare with"
        raise ValueError(f"{chosen.profile} was made of {_rows(reference.rows)}; {few}.")
    report = compare(reference, window, watch)
    if not report.columns and window.rows >= watch.min_rows:
        raise ValueError("no column is watched: all are ignored, or not watched by the profile.")
    status = {"CLEAN": DONE, "WARN": DOUBT, "ALARM": BAD}[report.verdict.value]
    return status, report.to_json() if chosen.json else printed.drift_text(report)


def _reference(where: str) -> Profile:
    from lifecycle import tables
    from lifecycle.drift import Profile

    content = tables.content(where)
    try:
        return Profile.from_bytes(content)
    except ValueError as problem:
        raise ValueError(f"{where}: {problem}") from None


def _judge(chosen: argparse.Namespace) -> tuple[int, str]:
    from lifecycle.verdicts import METRICS, Gate, Limits, judge

    gate = Gate.of(
        chosen.metric, chosen.margin, require_improvement=chosen.require_improvement,
        limits=Limits(chosen.at_least, chosen.at_most), confidence=chosen.confidence, blocks=chosen.blocks,
        positive=chosen.positive, beat_baseline=chosen.dummy or not chosen.champion,
        find_slices=10 if chosen.features else 0,
    )  # fmt: skip
    labels, candidate, champion, features = _judged_tables(chosen)
    if features is not None:
        gate = replace(gate, slices=_slices(chosen.slices, features.schema.names))
    found = judge(labels, candidate, champion, task=METRICS[chosen.metric].task, gate=gate, features=features)
    status = {"PASS": DONE, "INCONCLUSIVE": DOUBT, "FAIL": BAD}[found.verdict.value]
    return status, printed.judged_json(found) if chosen.json else printed.judged_text(found)


def _judged_tables(chosen: argparse.Namespace) -> tuple[pa.Table, pa.Table, pa.Table | None, pa.Table | None]:
    """Labels, candidate, champion and features, row by row about the same."""
    from lifecycle import tables
    from lifecycle.joining import in_order

    labels = tables.read(chosen.labels)
    _has(labels, "label", chosen.labels)
    others: list[pa.Table | None] = []
    for where in (chosen.candidate, chosen.champion, chosen.features):
        table = tables.read(where) if where else None
        if table is not None:
            if where is not chosen.features:
                _has(table, "prediction", where)
            table = in_order(labels, chosen.labels, table, where, chosen.key)
        others.append(table)
    if others[2] is None and (chosen.slices or chosen.blocks):
        others[2] = labels
    return labels, others[0], others[1], others[2]


def _has(table: pa.Table, name: str, where: str) -> None:
    from lifecycle.tables import TableError

    names = table.schema.names
    probabilities = name == "prediction" and any(one.startswith("probability_") for one in names)
    if name not in names and not probabilities:
        raise TableError(f'{where} has no column "{name}"; it has {", ".join(names[:12]) or "none"}.')
    if not len(table):
        raise TableError(f"{where} has no rows.")


if __name__ == "__main__":
    sys.exit(main())
