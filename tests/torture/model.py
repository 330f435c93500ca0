"""A model that trains in a tenth of a second and says so in its log, so that every training can be counted."""

from tests.stories.repository import RULES, as_csv, requirements, rows

BEGINS = "training begins"

LINE = '''\
"""A straight line, a little beside the rows if asked for."""


class Line:
    def __init__(self, beside):
        self.feature_names_in_ = ["x", "z"]
        self.beside = beside

    def predict(self, features):
        return (10 * features["x"] - features["z"] + self.beside).to_numpy(float)
'''

TRAIN = f'''\
"""Counts as training; parameters make it late, wrong or broken."""

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

from line import Line

print("{BEGINS}", flush=True)
params = json.loads(os.environ["LIFECYCLE_PARAMS"])
if params.get("fail"):
    sys.exit("the rows do not suit me")
napping = "import sys, time; time.sleep(float(sys.argv[1]))"
subprocess.run([sys.executable, "-I", "-S", "-c", napping, str(params.get("sleep", 0.1))], check=True)
with (Path(os.environ["LIFECYCLE_OUTPUT"]) / "model.joblib").open("wb") as file:
    pickle.dump(Line(params.get("beside", 0.0)), file)
print("training ends", flush=True)
'''


def files(change: str = "") -> dict[str, str | None]:
    """The repository's files; `change` makes another commit of them that the model's paths cover."""
    return {
        "lifecycle.yaml": RULES,
        "train.py": TRAIN + (f"# {change}\n" if change else ""),
        "line.py": LINE,
        "requirements.txt": requirements(),
        "data/2011-01.csv": as_csv(rows(120)),
        "README.md": "A line.\n",
    }
