"""The command line: `lifecycle-bot serve`, and what is beside it; each command loads what it needs, and only that."""

import argparse
import os
import re
import sys
from collections.abc import Callable, Sequence
from errno import EEXIST
from pathlib import Path
from typing import NoReturn

NAME = "lifecycle-bot"
SETTINGS = Path("app.yaml")
ALIASES = {"work": "worker"}
COMMANDS = ("serve", "web", "worker", "demo", "monitor", "doctor", "prepare", "backup", "restore", "renumber", "help")

ABOUT = """\
Runs the machine-learning lifecycle (train, package, validate, deploy, monitor, retrain) from where a team plans and
reviews: GitHub issues and pull requests, and Azure Boards."""

EPILOG = """\
first steps:
  lifecycle-bot demo              watch the whole loop on real data; needs no account
  cp app.yaml mine.yaml           then change it: its comments are the manual
  lifecycle-bot doctor --settings mine.yaml
  lifecycle-bot serve --settings mine.yaml

exit codes:
  0    done, or stopped as asked
  1    it did not work: the message says why; doctor found something; a step of the demo did not come true
  2    the command line or app.yaml is wrong: every mistake is told, with its line
  78   a person must act before a start can succeed: the database is newer than this version or damaged, a key cannot
       be used
  130  stopped with Ctrl-C

`lifecycle-bot help COMMAND` tells more about one command."""

SERVE = """\
Starts the two processes of the bot on this machine, `web` and `worker`, keeps them running, and stops both at SIGTERM
or Ctrl-C. Jobs that are running then go on, and are found again at the next start.

The address to give to GitHub and Azure DevOps is public_url of app.yaml with /webhooks/github and
/webhooks/azure-devops behind it; docs/connect.md goes through it step by step."""

SERVE_EXAMPLES = """\
examples:
  lifecycle-bot serve
  GITHUB_TOKEN=… GITHUB_WEBHOOK_SECRET=… lifecycle-bot serve --settings /etc/lifecycle-bot/app.yaml"""

WEB = """\
Takes webhooks in and shows the pages; one half of `serve`, for sites that start their processes themselves. Any number
of them may run where the database is PostgreSQL. A delivery is on disk before it is answered."""

WORKER = """\
Handles what came in: starts runs, moves them, reports them, watches models; one half of `serve`. With SQLite there can
be one, with PostgreSQL any number, on one machine or several (docs/machines.md); what a dead one left behind is taken
over by the others. `work` is another name for it."""

DEMO = """\
Starts a stand-in GitHub and a stand-in Azure DevOps on this machine and the real bot beside them, and plays the whole
story: train from an issue, promote, a pull request that makes the model worse and one that makes it better, drift,
retrain. Nothing leaves this machine. Everything then keeps running until Ctrl-C, to be tried by hand."""

DEMO_EXAMPLES = """\
examples:
  lifecycle-bot demo
  lifecycle-bot demo --once       stop after the story; 0 only if every step came true; steps are in demo.json"""

BACKUP = """\
Writes everything that the bot cannot make again into one file: the databases, the versions, what endpoints serve and
were asked, the logs, and the work of open runs. The bot may be running meanwhile. The file is checked before it gets
its name, so that an older backup is never lost to a worse one. With PostgreSQL it says what to do instead."""

BACKUP_EXAMPLES = """\
examples:
  lifecycle-bot backup /backups/lifecycle-bot-$(date +%F).tar.gz"""

RESTORE = """\
Puts a backup into the state folder that app.yaml names, when the bot is stopped. Everything is checked before anything
is moved. A folder that is in use or not empty is refused; with --force, what is there is moved aside and kept."""

RENUMBER = """\
Run it once after the database of several machines was restored from a dump, before the bot is started. Runs made since
the dump are lost, but what was told of them on the platforms is not, and is found by their numbers; so new runs and
new items of drift count on well beyond them. `restore` does this by itself."""

DOCTOR = """\
Tries everything that app.yaml names: secrets, the state folder, the database, the sandbox, git and uv, the credentials
and permissions on GitHub and Azure DevOps, webhooks, the clock. Says of each what was found and what to do about it.
Changes nothing. 0 if the bot can do its work, 1 if not; `!` is worth a look, `✘` must be mended."""

DAMAGED = ("malformed", "not a database")  # how SQLite says it
MEND = "Stop the bot, and put the last backup back: lifecycle-bot restore FILE --force. What is there is kept aside."

WITH_SETTINGS = (
    ("serve", "run the bot on this machine", SERVE, SERVE_EXAMPLES),
    ("web", "only the half that takes webhooks in and shows pages", WEB, ""),
    ("worker", "only the half that works", WORKER, ""),
    ("prepare", "check app.yaml and bring the database up to date; `web` and `worker` do it too", "", ""),
    ("doctor", "try everything that app.yaml names, and say what to do", DOCTOR, ""),
    ("backup", "write all that matters into one file, while the bot runs", BACKUP, BACKUP_EXAMPLES),
    ("restore", "put a backup into the state folder", RESTORE, ""),
    ("renumber", "after a PostgreSQL was restored: leave out numbers of runs that people may have seen", RENUMBER, ""),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line; the exit code."""
    parser, commands = _parsers()
    said = parser.parse_args(argv)
    match said.command:
        case None | "help":
            return _help(parser, commands, getattr(said, "about", None))
        case "version":
            return _version()
    try:
        return _run(said)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `lifecycle-bot doctor | head`; without this Python complains once more at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        told = _told(error)
        if told is None:
            raise
        code, sentence = told
        print(sentence, file=sys.stderr)
        return code


def _run(said: argparse.Namespace) -> int:
    if said.command == "demo":
        from bot.playground.demo import run

        if _foreign(said.folder):
            raise FileExistsError(
                EEXIST, "The demo empties its folder first, and this one is not the demo's", said.folder
            )
        return run(said.folder, once=said.once, port=said.port, record=said.record)
    if said.command == "monitor":
        from bot import backtest

        return backtest.run(said, os.environ)
    if said.command in ("backup", "restore", "renumber"):
        from bot import archiving

        if said.command == "backup":
            print(archiving.backup(said.settings, said.file))
        elif said.command == "restore":
            print(archiving.restore(said.settings, said.file, said.force))
        else:
            print(archiving.renumber(said.settings))
        return 0
    if said.command == "serve":
        return _serve(said.settings)
    from bot import app

    command: Callable[[Path], int] = getattr(app, ALIASES.get(said.command, said.command))
    return command(said.settings)


def _foreign(folder: Path) -> bool:
    """Whether a folder holds something that no demo put there: it is emptied first."""
    if not folder.exists():
        return False
    if not folder.is_dir():
        return True
    settings = folder / "app.yaml"
    written = settings.is_file() and settings.read_text("utf-8", "replace").startswith("# Written by `make demo`")
    return not written and any(folder.iterdir())


def _serve(settings: Path) -> int:
    """Keep both processes running. This one lives as long as they do, so it loads next to nothing itself."""
    from bot.supervisor import bot_child, run

    where = ("--settings", str(settings))
    return run([bot_child("web", *where, prepares=True), bot_child("worker", *where)])


def _told(error: Exception) -> tuple[int, str] | None:
    """The exit code and the sentence for what a person can mend; None for a bug, which deserves its traceback."""
    from sqlalchemy.exc import DatabaseError, OperationalError

    from bot.backup import BackupTrouble
    from bot.occupancy import Occupied
    from bot.ports import Denied, Unavailable
    from bot.process import Busy
    from lifecycle import Mistakes, NewerDatabase

    match error:
        case Mistakes():
            count = len(error.mistakes)
            return 2, f"{error}\n{'One mistake' if count == 1 else f'{count} mistakes'}; nothing was started."
        case NewerDatabase() | Denied():
            return 78, str(error)
        case Busy() | Unavailable() | Occupied() | BackupTrouble():
            return 1, str(error)
        case OperationalError():
            return 1, f"The database does not work: {str(error.orig).strip().splitlines()[0]}"
        case DatabaseError() if any(words in str(error.orig) for words in DAMAGED):
            return 78, f"The database is damaged ({error.orig}). {MEND}"
        case OSError():
            return 1, f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}"
    return None


def _parsers() -> tuple[argparse.ArgumentParser, dict[str, argparse.ArgumentParser]]:
    parser = _Parser(prog=NAME, description=ABOUT, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--version", action="store_const", const="version", dest="command", help="show the version")
    group = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands", parser_class=_Parser)
    made: dict[str, argparse.ArgumentParser] = {}

    def add(name: str, brief: str, text: str = "", examples: str = "") -> argparse.ArgumentParser:
        made[name] = group.add_parser(
            name,
            aliases=[alias for alias, known in ALIASES.items() if known == name],
            help=brief,
            description=text or brief,
            epilog=examples,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        made.update({alias: made[name] for alias, known in ALIASES.items() if known == name})
        return made[name]

    for name, brief, text, examples in WITH_SETTINGS:
        add(name, brief, text, examples).add_argument(
            "--settings", type=Path, default=SETTINGS, metavar="FILE", help="where the settings are (app.yaml)"
        )
    for name in ("backup", "restore"):
        made[name].add_argument("file", type=Path, metavar="FILE", help="the backup, such as monday.tar.gz")
    made["restore"].add_argument("--force", action="store_true", help="move aside what is in the state folder")
    _add_demo(add("demo", "watch the whole loop on this machine, without any account", DEMO, DEMO_EXAMPLES))
    _add_monitor(add)
    add("help", "tell about a command").add_argument("about", nargs="?", metavar="COMMAND", choices=[*made])
    return parser, made


def _add_monitor(add: Callable[..., argparse.ArgumentParser]) -> None:
    from bot.backtest_manual import ABOUT as BACKTEST
    from bot.backtest_manual import EXAMPLES, add_arguments

    add_arguments(add("monitor", "replay history: what the watch would have done", BACKTEST, EXAMPLES))


def _add_demo(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--once", action="store_true", help="stop after the story; 0 only if all of it came true")
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path("demo-state"),
        metavar="FOLDER",
        help="where it keeps everything (demo-state); emptied first",
    )
    parser.add_argument("--port", type=int, default=8000, metavar="N", help="where the bot answers (8000)")
    parser.add_argument(
        "--record", type=Path, default=Path("demo.json"), metavar="FILE", help="where the steps are noted (demo.json)"
    )


class _Parser(argparse.ArgumentParser):
    """Says in one sentence what is wrong, and how to learn more, instead of a screen of usage."""

    def error(self, message: str) -> NoReturn:
        """Exit with code 2."""
        import difflib

        about = self.prog.removeprefix(NAME).strip()
        if wrong := re.search(r"COMMAND: invalid choice: '?([^' ]*)", message):
            near = difflib.get_close_matches(wrong[1], [*COMMANDS], n=1)
            message = f"there is no command {wrong[1]}" + (f"; did you mean {near[0]}?" if near else "")
            about = ""
        self.exit(2, f"{self.prog}: {message}\n`{NAME} help{f' {about}' if about else ''}` tells how it is used.\n")


def _help(parser: argparse.ArgumentParser, commands: dict[str, argparse.ArgumentParser], about: str | None) -> int:
    (commands[about] if about else parser).print_help()
    return 0


def _version() -> int:
    from importlib.metadata import version

    print(f"{NAME} {version(NAME)} (Python {sys.version.split()[0]})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
