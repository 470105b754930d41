"""Names, texts and paths as an attack on a whole small workflow: they reach the shards as data, and nothing runs."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml

from tests.workflow.harness import DIGITS, copy_project, digits_with, locations, run
from workflow_scripts.common.images import encode_png
from workflow_scripts.common.shards import load_image_set
from workflow_scripts.real_images.folders import folder_of

CLASSES = [
    "$(touch pwned)",
    "../../../pwned",
    "; touch pwned #",
    "<script>pwned()</script>",
    "-rf",
    "כלב",
    "{output} %s",
]
TEMPLATE = "`touch pwned` {} '\"; touch pwned; {{wildcards.dataset}}"
FOLDER = 'it\'s $(touch pwned) `touch pwned` "x" {wildcards.dataset} ; touch pwned'


def pictures(root: Path) -> None:
    for number, name in enumerate(CLASSES):
        path = root / folder_of(name) / "$(touch pwned).png"
        path.parent.mkdir(parents=True)
        path.write_bytes(encode_png(np.full((4, 4), number, dtype=np.uint8)))


def overlay(root: Path, descriptions: Path) -> dict[str, Any]:
    dataset = {
        "classes": CLASSES,
        "images": {"kind": "folder", "test": {"photo": str(root)}},
        "prompts": {
            "domains": {"photo": [TEMPLATE]},
            "heads": {"default": {"kind": "descriptions", "file": str(descriptions)}},
        },
    }
    block = {"datasets": ["odd"], "sources": ["digits-diffusion"], "clips": ["digits-clip"], "methods": ["plain"]}
    return {
        "datasets": {"odd": dataset},
        "runs": [block],
        "report": {"title": "$(touch pwned)<script>pwned()</script>"},
    }


def test_everything_is_data(tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project")
    work = tmp_path / "work"
    root, descriptions = work / FOLDER, work / f"{FOLDER.replace('{', '(').replace('}', ')')}.json"
    pictures(root)
    descriptions.write_text(json.dumps({name: [f"{name} $(touch pwned)"] for name in CLASSES}))
    (work / "overlay.yaml").write_text(yaml.safe_dump(overlay(root, descriptions), allow_unicode=True))
    before = {path for path in tmp_path.rglob("*") if path.is_relative_to(work)}
    where = locations(digits_with(overlay(root, descriptions)))
    targets = [where.generation_prompts("odd", "photo"), "results/digits/prompts/odd/default.parquet"]
    targets.append(where.image_manifest("odd", "real-test", "photo"))
    files = ["--configfile", str(project / DIGITS), str(work / "overlay.yaml")]
    result = run(project, *targets, *files, directory=work)
    assert result.returncode == 0, result.stderr[-3000:]
    prompts = pq.read_table(work / targets[0]).to_pylist()
    assert [row["class_name"] for row in prompts] == CLASSES
    assert [row["prompt"] for row in prompts] == [TEMPLATE.replace("{}", name) for name in CLASSES]
    assert pq.read_table(work / targets[1])["prompt"].to_pylist() == [f"{name} $(touch pwned)" for name in CLASSES]
    images = load_image_set(work / targets[2])
    assert list(images.classes) == CLASSES
    assert [row["class_name"] for row in images.rows(("class_name",))] == CLASSES
    created = {path.relative_to(work).parts[0] for path in work.rglob("*") if path not in before}
    assert created == {"results", ".snakemake"}
    assert not [path for path in tmp_path.rglob("*pwned") if path.name == "pwned"]


@pytest.mark.parametrize("name", ["a\nb", "a\0b", "a\u202eb", "x" * 10_000, "\u200b"])
def test_a_name_that_hides_something_stops_before_any_job(name: str, tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project")
    config = digits_with({"datasets": {"digits": {"classes": [name, *map(str, range(9))]}}})
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    result = run(project, "--configfile", str(tmp_path / "config.yaml"), directory=tmp_path)
    assert result.returncode == 1
    assert len([line for line in result.stderr.splitlines() if "datasets.digits: class names: " in line]) == 1
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "results").exists()
