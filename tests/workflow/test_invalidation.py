"""A change reruns exactly what it touches: every settings key, every module, touches, moves, swaps."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.workflow.graph import ENTRIES, with_followers
from tests.workflow.harness import DIGITS, ROOT, Planner
from workflow_scripts.planning.checks import validated
from workflow_scripts.planning.code import PACKAGE, files_of
from workflow_scripts.planning.configuration import Configuration

CLIP, GENERATOR = "clips.digits-clip", "generators.digits-diffusion"
CHECKPOINT = f"{GENERATOR}.checkpoint"

FIRST_RULES: dict[str, set[str]] = {
    "datasets.digits.classes": {"class_names"},
    "datasets.digits.images.shards": {"real_shard"},
    "datasets.digits.prompts.styles": {"generation_prompts"},
    "datasets.digits.prompts.head": {"head_prompts"},
    f"{CLIP}": {"embedded_clip"},
    f"{CHECKPOINT}.corpus": {"embedded_autoencoder", "embedded_text_to_image"},
    f"{CHECKPOINT}.image_size": {"embedded_autoencoder", "embedded_text_to_image"},
    f"{CHECKPOINT}.seed": {"embedded_autoencoder", "embedded_text_to_image"},
    f"{CHECKPOINT}.autoencoder": {"embedded_autoencoder"},
    f"{CHECKPOINT}.denoiser": {"embedded_text_to_image"},
    f"{GENERATOR}": {"generation_shard"},
    "methods.plain": {"finetune"},
    "methods.regft": {"finetune"},
    "exports": {"export_alpha"},
    "evaluation.scoring": {"score"},
    "evaluation.metrics": {"metrics"},
    "report.title": {"report_page"},
    "report.fixed_alpha": {"report_figures", "report_page"},
    "report.images_per_class": {"report_figures"},
    "threads": set(),
}
"""Rules that a key reaches first, by the longest prefix of the key; the rest follows from the graph."""

SPECIAL: dict[str, Any] = {
    "datasets.digits.classes": ["nought", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"],
    "datasets.digits.prompts.styles.photo": ["a photo of a {}.", "a good photo of a {}."],
    "datasets.digits.prompts.styles.negative": ["an inverted photo of a {}.", "a negative of a {}."],
    "datasets.digits.prompts.head.templates": ["a photo of a {}."],
    f"{CHECKPOINT}.autoencoder.channels": [16, 32, 40],
    f"{CHECKPOINT}.denoiser.channels": [64, 112],
    f"{GENERATOR}.scheduler": "ddim",
    f"{GENERATOR}.negative_prompt": "blurred",
    f"{GENERATOR}.dtype": "bf16",
    f"{GENERATOR}.images_per_class": 12,
    f"{GENERATOR}.images_per_shard": 80,
    "methods.plain.styles": ["photo"],
    "methods.regft.styles": ["photo"],
    "exports": ["0.50", "1.00"],
    "report.fixed_alpha": "1.00",
    "report.title": "another title",
}
"""Changed values of keys that no rule of thumb changes."""

SKIPPED = {
    "datasets.digits.classes_file": "excludes classes; another way to the same list",
    "datasets.digits.images.kind": "another kind is another data set",
    "datasets.digits.images.domains": "a row of its own below",
    "datasets.digits.prompts.head.kind": "another kind has other keys",
    f"{CLIP}.kind": "another kind has other keys",
    f"{CLIP}.corpus.dataset": "the preset has one data set to learn from",
    f"{CLIP}.context_length": "also a property of the pipeline's tokenizer; covered by its siblings",
    f"{CHECKPOINT}.kind": "another kind has other keys",
    f"{CHECKPOINT}.clip": "the preset has one embedded CLIP of this task",
    f"{CHECKPOINT}.corpus.dataset": "the preset has one data set to learn from",
    "methods.plain.kind": "there is one kind of method",
    "methods.regft.kind": "there is one kind of method",
    "alphas": "a row of its own below",
}


def digits_configuration() -> dict[str, Any]:
    with (ROOT / "config.yaml").open() as base, (ROOT / DIGITS).open() as preset:
        config, overlay = yaml.safe_load(base), yaml.safe_load(preset)
    merged = merge(config, overlay)
    whole: dict[str, Any] = Configuration.model_dump(validated(merged), mode="json")
    for block, name in (("datasets", "digits"), ("clips", "digits-clip"), ("generators", "digits-diffusion")):
        whole[block] = {name: whole[block][name]}
    del whole["runs"]
    return whole


def merge(base: Any, overlay: Any) -> Any:
    if isinstance(base, dict) and isinstance(overlay, dict):
        return {**base, **{key: merge(base.get(key), value) for key, value in overlay.items()}}
    return overlay


def leaves(value: Any, prefix: str = "") -> dict[str, Any]:
    if isinstance(value, dict) and value:
        found: dict[str, Any] = {}
        for key, item in value.items():
            found |= leaves(item, f"{prefix}.{key}" if prefix else key)
        return found
    return {prefix: value}


def changed(key: str, value: Any) -> Any:
    """Return another allowed value of a key."""
    if key in SPECIAL:
        return SPECIAL[key]
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value * 2 if key.endswith(("size", "width", "dimension", "heads")) and value else value + 1
    if isinstance(value, float):
        return value / 2 if value else 0.25
    if value in ("fp32", "bf16"):
        return "bf16" if value == "fp32" else "fp32"
    if value is None:
        return 24
    raise AssertionError(f"{key}: say in SPECIAL or SKIPPED what another value is")


def overlay_of(key: str, value: Any) -> dict[str, Any]:
    parts = key.split(".")
    # Names of methods and models hold no dots in this preset.
    nested: Any = value
    for part in reversed(parts):
        nested = {part: nested}
    assert isinstance(nested, dict)
    return nested


KEYS = {key: value for key, value in leaves(digits_configuration()).items() if key not in SKIPPED}


def first_rules(key: str) -> set[str]:
    prefix = max((known for known in FIRST_RULES if key == known or key.startswith(known + ".")), key=len)
    return FIRST_RULES[prefix]


@pytest.mark.parametrize("key", sorted(KEYS))
def test_every_settings_key_reruns_its_rules_and_what_follows(key: str, finished: Path, planner: Planner) -> None:
    plan = planner.plan(finished, overlay_of(key, changed(key, KEYS[key])))
    assert set(plan) == with_followers(first_rules(key))
    if key.startswith("methods."):
        assert plan["finetune"] == 1
        assert plan["score"] == 3


def test_every_key_is_either_tested_or_excused() -> None:
    assert set(SKIPPED) <= set(leaves(digits_configuration()))
    assert len(KEYS) > 60


def modules() -> list[str]:
    files = sorted((ROOT / PACKAGE).rglob("*"))
    kept = [path for path in files if path.is_file() and "__pycache__" not in path.parts]
    return [str(path.relative_to(ROOT)) for path in kept]


def expected_of(module: str) -> set[str]:
    path = ROOT / module
    return {rule for entry, rule in ENTRIES.items() if path in files_of(f"{PACKAGE}.{entry}")}


@pytest.mark.parametrize("module", modules())
def test_an_edited_file_reruns_the_rules_that_use_it(module: str, finished: Path, planner: Planner) -> None:
    path = finished / module
    original = path.read_bytes()
    comment = {".json": b"\n", ".css": b"/* edited */\n", ".j2": b"{# edited #}\n"}.get(path.suffix, b"# edited\n")
    try:
        path.write_bytes(original + comment)
        plan = planner.plan(finished)
    finally:
        path.write_bytes(original)
    assert set(plan) == with_followers(expected_of(module))


def test_the_digest_covers_exactly_what_jobs_import(finished: Path) -> None:
    recorded = {path.name for path in (finished / "modules").iterdir()}
    assert recorded == {f"{PACKAGE}.{entry}" for entry in ENTRIES}
    for entry in ENTRIES:
        seen = set((finished / "modules" / f"{PACKAGE}.{entry}").read_text().split())
        files = {str(path.relative_to(ROOT)) for path in files_of(f"{PACKAGE}.{entry}") if path.suffix == ".py"}
        named = {name.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for name in files}
        assert seen == named, entry


def test_nothing_changed_nothing_runs(finished: Path, planner: Planner) -> None:
    assert planner.plan(finished) == {}


def test_touching_every_file_reruns_nothing(finished: Path, planner: Planner) -> None:
    for path in [*finished.rglob("*.py"), *finished.rglob("*.smk"), *(finished / "results").rglob("*")]:
        if path.is_file():
            os.utime(path)
    assert planner.plan(finished) == {}


def test_a_fresh_clone_with_the_results_copied_in_reruns_nothing(
    finished: Path, planner: Planner, tmp_path: Path
) -> None:
    clone = tmp_path / "elsewhere"
    shutil.copytree(finished, clone, symlinks=True)
    assert planner.plan(clone) == {}


def test_swapped_values_are_seen(finished: Path, planner: Planner) -> None:
    swapped = {"variance_weight": 0.02, "covariance_weight": 0.16}
    assert planner.plan(finished, {"methods": {"regft": swapped}}) == {
        "finetune": 1,
        "score": 3,
        "metrics": 1,
        "export_alpha": 1,
        "report_figures": 1,
        "report_page": 1,
    }


def test_a_further_alpha_scores_trained_runs_only(finished: Path, planner: Planner) -> None:
    plan = planner.plan(finished, {"alphas": ["0.00", "0.25", "0.50", "1.00"]})
    assert plan == {"score": 6, "metrics": 2, "report_figures": 1, "report_page": 1}


def test_more_images_draw_new_shards_only(finished: Path, planner: Planner) -> None:
    plan = planner.plan(finished, {"generators": {"digits-diffusion": {"images_per_class": 32}}})
    assert plan["generation_shard"] == 2
    assert "embedded_text_to_image" not in plan


def test_a_new_style_generates_only_itself(finished: Path, planner: Planner) -> None:
    styles = {"blurred": ["a blurred photo of a {}."]}
    plan = planner.plan(finished, {"datasets": {"digits": {"prompts": {"styles": styles}}}})
    assert plan["generation_prompts"] == plan["generation_shard"] == plan["generation_manifest"] == 1
    assert plan["finetune"] == 2


def test_a_new_real_domain_adds_only_its_own_images(finished: Path, planner: Planner) -> None:
    plan = planner.plan(finished, {"datasets": {"digits": {"images": {"domains": ["photo", "negative", "sketch"]}}}})
    assert plan == {
        "real_shard": 1,
        "real_manifest": 1,
        "score": 3,
        "metrics": 3,
        "report_figures": 1,
        "report_page": 1,
    }


def test_blocks_that_no_run_names_change_nothing(finished: Path, planner: Planner) -> None:
    assert planner.plan(finished, {"clips": {"small-clip": {"width": 256}}}) == {}
