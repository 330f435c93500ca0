"""Estimates how large errors are before labels arrive, in a process of its own: what it needs stays out of ours.

`python -m lifecycle.estimating KNOWN WINDOW LOSS` reads two parquet files (KNOWN with the column `label`) and prints
the mean loss to expect in the window as JSON: {"estimate", "low", "high"}.
"""

import json
import logging
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from lifecycle.verdicts.findings import Interval

if TYPE_CHECKING:
    import pyarrow as pa

SECONDS = 120
log = logging.getLogger(__name__)


def estimated_loss(known: Path, window: "pa.Table", loss: str) -> Interval | None:
    """The mean loss (`mae` or `mse`) to expect in a window; None where it cannot be told."""
    import pyarrow.parquet as pq

    with tempfile.TemporaryDirectory() as folder:
        rows = Path(folder) / "window.parquet"
        pq.write_table(window, rows)
        words = [sys.executable, "-m", "lifecycle.estimating", str(known), str(rows), loss]
        try:
            found = subprocess.run(words, capture_output=True, check=True, timeout=SECONDS)
        except (OSError, subprocess.SubprocessError) as trouble:
            said = getattr(trouble, "stderr", b"") or b""
            log.warning("no estimate without labels: %s", said.decode("utf-8", "replace").strip()[-300:] or trouble)
            return None
    return Interval(**json.loads(found.stdout))


def main(argv: list[str]) -> int:
    """The child: 0, or 1 with a sentence on standard error."""
    import numpy as np
    import pyarrow.parquet as pq

    from lifecycle.verdicts.direct_loss import expected_loss

    known, window = (pq.read_table(path) for path in argv[:2])
    errors = known.column("prediction").to_numpy() - known.column("label").to_numpy()
    losses = np.abs(errors) if argv[2] == "mae" else np.square(errors)
    try:
        found = expected_loss(known.drop_columns(["label"]), losses, window)
    except ValueError as trouble:
        sys.stderr.write(f"{trouble}\n")
        return 1
    sys.stdout.write(json.dumps({"estimate": found.estimate, "low": found.low, "high": found.high}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
