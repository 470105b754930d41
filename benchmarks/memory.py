"""What memory a hundred times the images cost: jobs over 2,000 and over 200,000 pictures of 64 x 64.

Run from the project's folder: `.venv/bin/python benchmarks/memory.py` (some minutes, 8 GB of disk for the
time being). Each job runs on its own over both; printed is the peak of its anonymous memory. Exits with 1 when the
larger one needs over 300 MB more. The network is as small as can be: what is measured is all that grows with images.
"""

import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.training.tiny import CLASSES, write_clip  # noqa: E402
from workflow_scripts.common.artifacts import save_head  # noqa: E402
from workflow_scripts.common.images import encode_png  # noqa: E402
from workflow_scripts.common.run_files import ENCODER, HEAD  # noqa: E402
from workflow_scripts.common.shards import ImageRow, write_shard  # noqa: E402

FEW, MANY = 2_000, 200_000
SIDE = 64
PER_SHARD = 1_000
ALLOWED = 300
"""Megabytes that the larger job may need above the smaller one."""
SCORING = {"alphas": ["0.00", "0.50", "1.00"], "split": "all", "full_logits": True}
METRICS = {
    "dataset": "d",
    "source": "s",
    "clip": "c",
    "method": "m",
    "run_seed": 0,
    "train_classes": "all",
    "domains": ["photo"],
}
TRAINING = {"method": {"kind": "finetune", "epochs": 1, "batch_size": 64}, "seed": 0}


def pictures(first: int, count: int) -> Iterator[ImageRow]:
    """Yield pictures of noise; a few are made and used again and again."""
    generator = np.random.default_rng(0)
    made = [encode_png(generator.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)) for _ in range(50)]
    for number in range(first, first + count):
        yield ImageRow(
            image=made[number % len(made)],
            label=number % len(CLASSES),
            class_name=CLASSES[number % len(CLASSES)],
            domain="photo",
            index=number // len(CLASSES),
            image_id=f"photo/{number:08d}",
        )


def peak_of(module: str, arguments: list[str | Path], *, folder: Path) -> float:
    """Run an entry point and return the peak of its anonymous memory in megabytes, looked at every 20 ms."""
    command = [sys.executable, "-m", f"workflow_scripts.{module}", *map(str, arguments), "--threads", "2"]
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, env={"TMPDIR": str(folder)})
    peak, ended = 0, threading.Event()

    def watch() -> None:
        nonlocal peak
        status = Path(f"/proc/{process.pid}/status")
        while not ended.wait(0.02) and psutil.pid_exists(process.pid):
            lines = [line for line in status.read_text().splitlines() if line.startswith("RssAnon")]
            peak = max(peak, *(int(line.split()[1]) for line in lines), 0)

    watcher = threading.Thread(target=watch)
    watcher.start()
    code = process.wait()
    ended.set()
    watcher.join()
    if code:
        sys.exit(f"{module} failed:\n{(folder / 'log').read_text()[-2000:]}")
    return peak / 1024


def measured(images: int, folder: Path) -> dict[str, float]:
    """Return each job's peak in megabytes over so many images."""
    shards = [folder / f"shards/{number:05d}.parquet" for number in range(images // PER_SHARD)]
    for number, shard in enumerate(shards):
        write_shard(shard, pictures(number * PER_SHARD, PER_SHARD), provenance={"classes": list(CLASSES)})
    clip = write_clip(folder / "clip", image_size=SIDE)
    start = {"weight": torch.randn(len(CLASSES), 16), "bias": torch.zeros(len(CLASSES))}
    save_head(folder / "zero_shot_head.safetensors", {"pretrained": start}, classes=CLASSES)
    manifest, scores = folder / "manifest.json", folder / "photo/scores.parquet"
    settings = {"dataset": "d", "source": "s", "domain": "photo"}
    jobs: dict[str, list[str | Path]] = {
        "generation.collect_generated_images": [
            "--settings",
            json.dumps(settings),
            "--output",
            manifest,
            "--shards",
            *shards,
        ],
        "training.finetune": [
            *("--settings", json.dumps(TRAINING), "--images", manifest, "--clip", clip),
            *("--zero-shot-head", folder / "zero_shot_head.safetensors", "--output", folder),
        ],
        "evaluation.score_images": [
            *("--settings", json.dumps(SCORING), "--images", manifest, "--clip", clip),
            *("--classifier", "ensembling.linear_classifier"),
            *("--artifacts", folder / ENCODER, folder / HEAD, "--output", scores),
        ],
        "evaluation.compute_metrics": [
            "--settings",
            json.dumps(METRICS),
            "--scores",
            scores,
            "--output",
            folder / "m.csv",
        ],
    }
    return {name: peak_of(name, arguments, folder=folder) for name, arguments in jobs.items()}


def main() -> None:
    """Measure, print, and judge."""
    found = {}
    for images in (FEW, MANY):
        with tempfile.TemporaryDirectory() as folder:
            found[images] = measured(images, Path(folder))
    over = False
    for name in found[FEW]:
        few, many = found[FEW][name], found[MANY][name]
        over |= many - few > ALLOWED
        print(f"{name}: {few:.0f} MB over {FEW:,} images, {many:.0f} MB over {MANY:,}: {many - few:+.0f} MB")
    sys.exit(f"over {ALLOWED} MB more" if over else 0)


if __name__ == "__main__":
    main()
