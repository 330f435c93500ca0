"""`python -m lifecycle` in this process: its exit status, and what it printed."""

from lifecycle.__main__ import main


def run(capsys, *words):
    """Status, standard output, standard error."""
    try:
        status = main(list(map(str, words)))
    except SystemExit as left:
        status = left.code
    told = capsys.readouterr()
    return status, told.out, told.err
