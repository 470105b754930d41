"""How long a large graph takes to plan: 11 tasks x 5 methods x 3 seeds x 64 shards, and a no-op of a finished run.

Run from the project's folder: `.venv/bin/python benchmarks/plan_graph.py`. Prints seconds, and the ratio to Snakemake's
start-up (`snakemake --version`), which does not depend on the machine as much.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
PRESET = ROOT / "presets/digits.yaml"
SNAKEMAKE = Path(sys.executable).with_name("snakemake")


def large_graph() -> dict[str, Any]:
    """Return a configuration on the digits preset that asks for 11 tasks x 5 methods x 3 seeds x 64 shards."""
    names = [f"task{k}" for k in range(11)]
    dataset = {
        "classes": [f"class {k}" for k in range(10)],
        "images": {"kind": "none"},
        "prompts": {"domains": {"photo": ["a photo of a {}."]}},
    }
    methods = {f"method{k}": {"kind": "finetune"} for k in range(5)}
    block = {
        "datasets": names,
        "sources": ["digits-diffusion"],
        "clips": ["digits-clip"],
        "methods": list(methods),
        "seeds": [0, 1, 2],
    }
    generator = yaml.safe_load(PRESET.read_text(encoding="utf-8"))["generators"]["digits-diffusion"]
    return {
        "extends": str(PRESET),
        "datasets": dict.fromkeys(names, dataset),
        "generators": {"digits-diffusion": {**generator, "images_per_class": 64, "images_per_shard": 10}},
        "methods": methods,
        "runs": [block],
        "exports": [],
    }


def seconds(*arguments: str) -> float:
    """Return the wall clock of one snakemake call."""
    start = time.perf_counter()
    subprocess.run([str(SNAKEMAKE), *arguments], check=True, capture_output=True)
    return time.perf_counter() - start


def main() -> None:
    """Measure and print."""
    seconds("--version")
    startup = min(seconds("--version") for _ in range(3))
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "large.yaml"
        path.write_text(yaml.safe_dump(large_graph()))
        files = ["--configfile", str(path)]
        large = seconds("-n", "-q", "--snakefile", str(ROOT / "Snakefile"), "--directory", scratch, *files)
    print(f"start-up {startup:.2f} s; large graph {large:.2f} s, {large / startup:.1f} times the start-up")


if __name__ == "__main__":
    main()
