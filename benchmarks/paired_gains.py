"""What rows of a finished configuration gain over the rows that they have to beat, on the same pictures.

    .venv/bin/python benchmarks/paired_gains.py presets/icons-methods.yaml plain@1.00:zero-shot@0.00

Run it where `results/` lies. A row is a method at an alpha, over all of its seeds. Printed are top-1 of both, mean over
seeds and then over the domains of real test images, and the gain with its 95 % interval, within all, the base and the
new classes: images of each domain and seeds are drawn anew together, the same for both rows.
"""

import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from workflow_scripts.common.constants import HELD_OUT  # noqa: E402
from workflow_scripts.evaluation.bootstrap import resample_weights  # noqa: E402
from workflow_scripts.planning.configuration_files import load_configuration  # noqa: E402
from workflow_scripts.planning.layout import SCORES  # noqa: E402
from workflow_scripts.planning.plan import Plan  # noqa: E402

RESAMPLES = 2000
LEVEL = 0.95
LABEL_SETS = ("all", "base", "new")

Right = Mapping[str, npt.NDArray[np.float64]]
"""Whether each image was classified right, by domain, (seeds, images)."""


def right_of(plan: Plan, row: str, label_set: str) -> Right:
    """Return what a row got right, images in the order of their names.

    Args:
        plan: of the finished configuration.
        row: `METHOD@ALPHA`.
        label_set: `all`, `base` or `new`.
    """
    method, alpha = row.split("@")
    runs = [run for run in plan.runs if run.method == method]
    if not runs:
        raise SystemExit(f"{row}: no run of {method}; there are {', '.join(sorted({run.method for run in plan.runs}))}")
    chosen = [("alpha", "=", alpha), ("label_set", "=", label_set)]
    right = {}
    for domain in plan.evaluation_domains(runs[0]):
        if domain != HELD_OUT:
            columns = ["image_id", "label", "top_classes"]
            tables = [pq.read_table(f"{run.folder}/{domain}/{SCORES}", columns=columns, filters=chosen) for run in runs]
            frames = [table.to_pandas().sort_values("image_id") for table in tables]
            if not len(frames[0]):
                raise SystemExit(f"{row}: not scored at alpha {alpha} within {label_set} classes")
            right[domain] = np.stack([frame["top_classes"].str[0] == frame["label"] for frame in frames]).astype(float)
    return right


def accuracies(right: Right) -> list[float]:
    """Return the accuracy in each domain, over all seeds."""
    return [float(each.mean()) for each in right.values()]


def resampled_accuracy(right: Right, *, seed: int = 0) -> npt.NDArray[np.float64]:
    """Return the mean accuracy over domains when images and seeds are drawn with replacement, (resamples).

    Rows of as many seeds and images share their draws.
    """
    total = np.zeros(RESAMPLES)
    for each in right.values():
        seeds, images = each.shape
        drawn = np.random.default_rng(seed).multinomial(seeds, np.full(seeds, 1 / seeds), size=RESAMPLES) / seeds
        weights = np.concatenate(list(resample_weights(images, resamples=RESAMPLES, seed=seed))) / images
        total += ((weights @ each.T) * drawn).sum(axis=1) / len(right)
    return total


def gain(row: Right, reference: Right) -> tuple[float, float, float]:
    """Return the gain in mean accuracy over domains, and its interval."""
    value = float(np.mean(accuracies(row)) - np.mean(accuracies(reference)))
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(resampled_accuracy(row) - resampled_accuracy(reference), [tail, 1 - tail])
    return value, float(low), float(high)


def main() -> None:
    """Print a line per pair of rows and label set."""
    layers = load_configuration(files=[Path(sys.argv[1])], workflow_folder=ROOT, changes={})
    plan = Plan(layers.values)
    print("| row | against | classes | top-1 by domain | mean | against | gain |\n|---|---|---|---|---|---|---|")
    for pair in sys.argv[2:]:
        names = pair.split(":")
        for label_set in LABEL_SETS:
            row, reference = (right_of(plan, name, label_set) for name in names)
            value, low, high = gain(row, reference)
            domains = ", ".join(f"{domain} {100 * right.mean():.1f}" for domain, right in row.items())
            means = " | ".join(f"{100 * np.mean(accuracies(each)):.1f}" for each in (row, reference))
            cells = f"{domains} | {means} | {100 * value:+.1f} [{100 * low:+.1f}, {100 * high:+.1f}]"
            print(f"| {names[0]} | {names[1]} | {label_set} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
