"""A change reruns exactly what it touches: every settings key, every module, touches, moves, swaps."""

import ast
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.workflow.graph import ENTRY_POINTS, FOLLOWS, LOADED, rule_of, source_of, with_followers
from tests.workflow.harness import PLANNERS, ROOT, Planner, all_methods, copy_project, digits_with
from workflow_scripts.planning.code import PACKAGE, WITHOUT_RESULT, files_of
from workflow_scripts.planning.configuration import Configuration
from workflow_scripts.planning.validation import validated_configuration

CLIP, GENERATOR = "clips.digits-clip", "generators.digits-diffusion"
CHECKPOINT = f"{GENERATOR}.checkpoint"

FIRST_RULES: dict[str, set[str]] = {
    "datasets.digits.classes": {"write_class_names"},
    "datasets.digits.images.shards": {"convert_real_images"},
    "datasets.digits.prompts.domains": {"write_generation_prompts"},
    "datasets.digits.prompts.heads": {"write_head_prompts"},
    f"{CLIP}": {"pretrain_clip"},
    f"{CHECKPOINT}.corpus": {"pretrain_autoencoder", "pretrain_text_to_image"},
    f"{CHECKPOINT}.image_size": {"pretrain_autoencoder", "pretrain_text_to_image"},
    f"{CHECKPOINT}.seed": {"pretrain_autoencoder", "pretrain_text_to_image"},
    f"{CHECKPOINT}.autoencoder": {"pretrain_autoencoder"},
    f"{CHECKPOINT}.denoiser": {"pretrain_text_to_image"},
    f"{GENERATOR}": {"generate_images"},
    "datasets.digits.base_classes": {"score_images", "train_finetune", "train_ogen"},
    "students": {"pretrain_student"},
    "methods.plain": {"train_finetune"},
    "methods.regft": {"train_finetune"},
    "methods.shots": {"train_finetune"},
    "methods.ogen": {"train_ogen"},
    "methods.vl2v-adip": {"train_vl2v_adip"},
    "methods.vl2v-sd": {"train_vl2v_sd"},
    "methods.erm": {"train_erm"},
    "pickers": {"select_alpha"},
    "exports": {"export_model"},
    "evaluation.scoring": {"score_images"},
    "evaluation.metrics": {"compute_metrics"},
    "report.title": {"write_page"},
    "report.published": {"write_page"},
    "report.images_per_class": {"draw_figures"},
    "threads": set(),
}
"""Rules that a key reaches first, by the longest prefix of the key; the rest follows from the graph."""

ALONE = {"methods.vl2v-adip.preprocessing": {"embed_images"}}
"""Rules that run besides, for a product that is new and that only the rules above read."""

ONE_METHOD = {
    "methods.plain": ("train_finetune", 1, 3),
    "methods.regft": ("train_finetune", 1, 3),
    "methods.shots": ("train_finetune", 1, 3),
    "methods.ogen": ("train_ogen", 1, 3),
    "methods.vl2v-adip": ("train_vl2v_adip", 1, 3),
    "methods.vl2v-sd": ("train_vl2v_sd", 2, 6),
    "methods.erm": ("train_erm", 1, 3),
}
"""A method's rule, its jobs, and the scores that follow: nothing of any other method runs."""

SPECIAL: dict[str, Any] = {
    "datasets.digits.base_classes": ["zero", "two", "four", "nine"],
    "students.digits-student.corpus.domains": ["negative"],
    "students.digits-student.corpus.categories": "classes",
    "methods.ogen.variant": "released",
    "methods.ogen.context": "class-specific",
    "methods.ogen.context_words": "a picture of a",
    "methods.ogen.neighbors": 2,
    "methods.ogen.attention_heads": 2,
    "methods.vl2v-adip.preprocessing": "imagenet",
    "methods.vl2v-adip.augmentation": {"min_crop_scale": 0.5},
    "methods.vl2v-sd.preprocessing": "imagenet",
    "methods.erm.preprocessing": "imagenet",
    "methods.erm.augmentation": {"min_crop_scale": 0.5},
    "datasets.digits.classes": ["nought", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"],
    "datasets.digits.prompts.domains.photo": ["a photo of a {}.", "a good photo of a {}."],
    "datasets.digits.prompts.domains.negative": ["an inverted photo of a {}.", "a negative of a {}."],
    "datasets.digits.prompts.heads.default.templates": ["a photo of a {}."],
    f"{CLIP}.averaging_decay": 0.9,
    f"{CHECKPOINT}.autoencoder.channels": [16, 32, 40],
    f"{CHECKPOINT}.denoiser.channels": [64, 112],
    f"{GENERATOR}.scheduler": "ddim",
    f"{GENERATOR}.negative_prompt": "blurred",
    f"{GENERATOR}.dtype": "bf16",
    f"{GENERATOR}.arguments": {"guidance_rescale": 0.7},
    f"{GENERATOR}.images_per_class": 12,
    f"{GENERATOR}.images_per_shard": 80,
    "exports": ["0.50", "1.00"],
    "pickers.fixed.alpha": "1.00",
    "report.title": "another title",
    "report.published": [{"title": "t", "citation": "s", "columns": ["c"], "rows": {"r": [1.0]}}],
}
"""Changed values of keys that no rule of thumb changes."""

USED = {
    "datasets": ["digits"],
    "clips": ["digits-clip"],
    "generators": ["digits-diffusion"],
    "students": ["digits-student"],
    "methods": ["plain", "regft", "shots", "ogen", "vl2v-adip", "vl2v-sd", "erm"],
}
"""What the runs name; the default's own blocks stand beside them and change nothing."""

SKIPPED = {
    **{f"methods.{name}.kind": "another kind is another method" for name in USED["methods"]},
    **{f"methods.{name}.averaging.kind": "another kind has other keys" for name in USED["methods"]},
    **{f"methods.{name}.leave_one_domain_out": "changes the names of runs" for name in USED["methods"]},
    **{f"methods.{name}.train_on": "another source of images; a row of its own below" for name in USED["methods"]},
    **{f"methods.{name}.head": "another head; a row of its own below" for name in USED["methods"]},
    "methods.regft.freeze_encoder": "a frozen encoder cannot be regularized",
    "methods.plain.shots": "goes with real images only",
    "methods.regft.shots": "goes with real images only",
    "methods.ogen.shots": "goes with real images only",
    "methods.vl2v-adip.shots": "goes with real images only",
    "methods.vl2v-sd.shots": "goes with real images only",
    "methods.erm.shots": "goes with real images only",
    "methods.erm.train_classes": "without text it sees every class or none",
    "methods.vl2v-sd.domains": "leaving one of two domains out, a single domain would leave none",
    "methods.ogen.train_classes": "the generator needs new classes",
    "methods.vl2v-adip.student": "the preset has one student",
    "methods.erm.student": "the preset has one student",
    "methods.vl2v-adip.align_averaging.kind": "another kind has other keys",
    "students.digits-student.kind": "another kind has other keys",
    "students.digits-student.network.kind": "another kind has other keys",
    "students.digits-student.corpus.dataset": "the preset has one data set to learn from",
    "datasets.digits.classes_file": "excludes classes; another way to the same list",
    "datasets.digits.judge": "no network of the preset knows digits by name: tests/workflow/test_icons.py",
    "datasets.digits.images.kind": "another kind is another data set",
    "datasets.digits.images.domains": "a row of its own below",
    "datasets.digits.prompts.heads.default.kind": "another kind has other keys",
    f"{GENERATOR}.drawer": "there is one drawer",
    f"{CLIP}.kind": "another kind has other keys",
    f"{CLIP}.corpus.kind": "another kind has other keys",
    f"{CLIP}.vision.kind": "another kind has other keys",
    f"{CLIP}.vocabulary": "another vocabulary has other files, and a rule for them: tests/workflow/test_icons.py",
    f"{CLIP}.corpus.dataset": "the preset has one data set to learn from",
    f"{CLIP}.context_length": "also a property of the pipeline's tokenizer; covered by its siblings",
    f"{CHECKPOINT}.kind": "another kind has other keys",
    f"{CHECKPOINT}.corpus.kind": "another kind has other keys",
    f"{CHECKPOINT}.denoiser.kind": "another kind has other keys",
    f"{CHECKPOINT}.clip": "the preset has one CLIP of this task that is pretrained here",
    f"{CHECKPOINT}.corpus.dataset": "the preset has one data set to learn from",
    "pickers.fixed.kind": "another kind has other keys",
    "pickers.oracle.kind": "another kind has other keys",
    "alphas": "a row of its own below",
    "name": "another name is another configuration; a row of its own below",
}


def configuration() -> dict[str, Any]:
    config = digits_with(all_methods())
    whole: dict[str, Any] = Configuration.model_dump(validated_configuration(config), mode="json")
    for block, names in USED.items():
        whole[block] = {name: whole[block][name] for name in names}
    del whole["runs"]
    return whole


def leaves(value: Any, prefix: str = "") -> dict[str, Any]:
    if isinstance(value, dict) and value:
        flat: dict[str, Any] = {}
        for key, item in value.items():
            flat |= leaves(item, f"{prefix}.{key}" if prefix else key)
        return flat
    return {prefix: value}


def changed(key: str, value: Any) -> Any:
    """Return another allowed value of a key."""
    if key in SPECIAL:
        return SPECIAL[key]
    if key.endswith(".domains"):
        return ["photo"]
    if key.endswith(".train_classes"):
        return "all" if value == "base" else "base"
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
    # Names of methods and models hold no dots in this preset.
    *parents, last = key.split(".")
    nested: dict[str, Any] = {last: value}
    if parents and parents[-1].endswith("averaging"):
        # A default kind of averaging has to be named before its keys can be.
        nested["kind"] = KEYS_AND_KINDS[".".join([*parents, "kind"])]
    for part in reversed(parents):
        nested = {part: nested}
    return nested


KEYS_AND_KINDS = leaves(configuration())
KEYS = {key: value for key, value in KEYS_AND_KINDS.items() if key not in SKIPPED}


def first_rules(key: str) -> set[str]:
    prefix = max((known for known in FIRST_RULES if key == known or key.startswith(known + ".")), key=len)
    return FIRST_RULES[prefix]


def plan_of_key(key: str, project: Path, planner: Planner) -> dict[str, int]:
    return planner.plan(project, all_methods(overlay_of(key, changed(key, KEYS[key]))))


def modules() -> list[str]:
    files = sorted((ROOT / PACKAGE).rglob("*"))
    kept = [path for path in files if path.is_file() and "__pycache__" not in path.parts]
    return [str(path.relative_to(ROOT)) for path in kept]


def expected_of(module: str) -> set[str]:
    return {rule_of(entry) for entry in ENTRY_POINTS if ROOT / module in code_files(entry)}


def code_files(entry: str) -> set[Path]:
    """Return the files behind an entry point, and behind the modules that it loads by name."""
    return {path for each in (entry, *LOADED.get(entry, ())) for path in files_of(f"{PACKAGE}.{each}")}


def modules_by_rules() -> dict[str, list[str]]:
    """Return from each set of rules, as a text, to the files that exactly they use: digests cover each by itself."""
    groups: dict[str, list[str]] = {}
    for module in modules():
        groups.setdefault(" ".join(sorted(expected_of(module))), []).append(module)
    return groups


MODULES = modules_by_rules()


EDITS = {".py": "EDITED = True\n", ".json": "\n", ".css": "/* edited */\n", ".j2": "{# edited #}\n", ".rst": "edited\n"}
"""What is put at the end of a file, by its suffix: something that counts."""


def appended(path: Path) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(EDITS[path.suffix])


def plan_of_edits(
    modules: Iterable[str], project: Path, planner: Planner, edit: Callable[[Path], None] = appended
) -> dict[str, int]:
    """Return what is planned when a copy of the code, with files edited, goes on with the project's results."""
    with TemporaryDirectory() as folder:
        copy = copy_project(Path(folder) / "project")
        for module in modules:
            edit(copy / module)
        return planner.plan(copy, all_methods(), directory=project)


def plan_of_rules(rules: str, project: Path, planner: Planner) -> dict[str, int]:
    return plan_of_edits(MODULES[rules], project, planner)


PLANS = {"key": plan_of_key, "rules": plan_of_rules}
"""How the plan of a row is made, by the name of its parameter."""


@pytest.fixture(scope="module")
def plans(
    request: pytest.FixtureRequest, with_methods: Path, planner: Planner
) -> Iterator[dict[str, Future[dict[str, int]]]]:
    """Return the plans of all rows that run, made side by side: hundreds, of a second each, on one core."""
    chosen = [item for item in request.session.items if isinstance(item, pytest.Function)]
    rows = [row for item in chosen if "plans" in item.fixturenames for row in item.callspec.params.items()]
    with ThreadPoolExecutor(PLANNERS) as pool:
        yield {str(row): pool.submit(PLANS[kind], str(row), with_methods, planner) for kind, row in rows}
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("key", sorted(KEYS))
def test_every_settings_key_reruns_its_rules_and_what_follows(
    key: str, plans: dict[str, Future[dict[str, int]]]
) -> None:
    plan = plans[key].result()
    assert set(plan) == with_followers(first_rules(key)) | ALONE.get(key, set())
    for prefix, (rule, jobs, scores) in ONE_METHOD.items():
        if key.startswith(prefix):
            assert plan[rule] == jobs
            assert plan["score_images"] == scores


def test_every_key_is_either_tested_or_excused() -> None:
    assert set(SKIPPED) <= set(KEYS_AND_KINDS)
    assert len(KEYS) > 60


@pytest.mark.parametrize("rules", sorted(MODULES))
def test_edited_files_rerun_the_rules_that_use_them(rules: str, plans: dict[str, Future[dict[str, int]]]) -> None:
    assert set(plans[rules].result()) == with_followers(set(rules.split()))


def test_every_file_is_in_a_group_of_edits() -> None:
    assert sum(len(group) for group in MODULES.values()) == len(modules()) > 150
    assert len(MODULES) > 40


TEXT = ast.Expr(ast.Constant("edited"))


def is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def with_comments(source: str) -> str:
    return "".join(f"{line}\n" for line in ("# edited", source, "# edited"))


def with_docstrings(source: str) -> str:
    """Return a source in which every module, class and function has another docstring."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [TEXT, *node.body[ast.get_docstring(node) is not None :]]
    return ast.unparse(tree)


def with_attribute_docstrings(source: str) -> str:
    """Return a source in which every constant and every attribute of a class has another docstring."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef):
            first, *others = node.body
            kept = [first, *(statement for statement in others if not is_text(statement))]
            pairs = ((item, TEXT) if isinstance(item, ast.Assign | ast.AnnAssign) else (item,) for item in kept)
            node.body = [item for pair in pairs for item in pair]
    return ast.unparse(tree)


def reformatted(source: str) -> str:
    return ast.unparse(ast.parse(source))


@pytest.mark.parametrize("writing", [with_comments, with_docstrings, with_attribute_docstrings, reformatted])
def test_another_writing_of_all_code_reruns_nothing(
    writing: Callable[[str], str], with_methods: Path, planner: Planner
) -> None:
    def edit(path: Path) -> None:
        source = path.read_text(encoding="utf-8")
        assert writing(source) != source
        path.write_text(writing(source), encoding="utf-8")

    code = [module for module in modules() if module.endswith(".py")]
    assert plan_of_edits(code, with_methods, planner, edit) == {}


def test_edited_modules_without_result_rerun_nothing(with_methods: Path, planner: Planner) -> None:
    left_out = [f"{PACKAGE}/{module.replace('.', '/')}.py" for module in WITHOUT_RESULT]
    assert plan_of_edits(left_out, with_methods, planner) == {}


def test_the_digest_covers_exactly_what_jobs_import(with_methods: Path) -> None:
    jobs = {path.name for path in (with_methods / "modules").iterdir()}
    assert jobs == set(ENTRY_POINTS)
    for entry in ENTRY_POINTS:
        recorded = (with_methods / "modules" / entry).read_text().split()
        started = ("run_entry_point.py", source_of(entry))
        run = {f"{PACKAGE}.{path.removesuffix('.py').replace('/', '.')}" for path in started}
        seen = {*recorded, *run} - {f"{PACKAGE}.{module}" for module in WITHOUT_RESULT}
        files = {str(path.relative_to(ROOT)) for path in code_files(entry) if path.suffix == ".py"}
        named = {name.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for name in files}
        assert seen == named, entry


def test_another_shell_text_reruns_its_rule(with_methods: Path, planner: Planner, tmp_path: Path) -> None:
    copy = copy_project(tmp_path / "project")
    rules = copy / "rules/selection.smk"
    rules.write_text(rules.read_text().replace('"{params.start} ', '"exec {params.start} '))
    assert set(planner.plan(copy, all_methods(), directory=with_methods)) == with_followers({"select_alpha"})


def test_nothing_changed_nothing_runs(with_methods: Path, planner: Planner) -> None:
    assert planner.plan(with_methods, all_methods()) == {}


def test_touching_every_file_reruns_nothing(with_methods: Path, planner: Planner) -> None:
    for path in [*with_methods.rglob("*.py"), *with_methods.rglob("*.smk"), *(with_methods / "results").rglob("*")]:
        if path.is_file():
            os.utime(path)
    assert planner.plan(with_methods, all_methods()) == {}


def test_a_fresh_clone_with_the_results_copied_in_reruns_nothing(
    with_methods: Path, planner: Planner, tmp_path: Path
) -> None:
    clone = tmp_path / "elsewhere"
    shutil.copytree(with_methods, clone, symlinks=True)
    assert planner.plan(clone, all_methods()) == {}


def test_swapped_values_are_seen(with_methods: Path, planner: Planner) -> None:
    swapped = {"variance_weight": 0.02, "covariance_weight": 0.16}
    assert planner.plan(with_methods, all_methods({"methods": {"regft": swapped}})) == {
        "train_finetune": 1,
        "score_images": 3,
        "compute_metrics": 1,
        "select_alpha": 1,
        "export_model": 1,
        "draw_figures": 1,
        "write_page": 1,
    }


def test_a_further_alpha_scores_trained_runs_only(with_methods: Path, planner: Planner) -> None:
    plan = planner.plan(with_methods, all_methods({"alphas": ["0.00", "0.25", "0.50", "1.00"]}))
    # Six runs with two endpoints, of three domains each; the student has one endpoint and stays as it is.
    expected = {"score_images": 18, "compute_metrics": 6, "select_alpha": 6, "export_model": 6}
    assert plan == {**expected, "draw_figures": 1, "write_page": 1}


def test_more_images_draw_new_shards_only(with_methods: Path, planner: Planner) -> None:
    plan = planner.plan(with_methods, all_methods({"generators": {"digits-diffusion": {"images_per_class": 32}}}))
    assert plan["generate_images"] == 2
    assert "pretrain_text_to_image" not in plan


def test_a_new_domain_generates_only_itself(with_methods: Path, planner: Planner) -> None:
    domains = {"blurred": ["a blurred photo of a {}."]}
    plan = planner.plan(with_methods, all_methods({"datasets": {"digits": {"prompts": {"domains": domains}}}}))
    assert plan["write_generation_prompts"] == plan["generate_images"] == plan["collect_generated_images"] == 1
    assert plan["train_finetune"] == 2


def test_a_new_real_domain_adds_only_its_own_images(with_methods: Path, planner: Planner) -> None:
    # Without the method that leaves domains out: it would ask for a generated domain of that name.
    plan = planner.plan(
        with_methods, {"datasets": {"digits": {"images": {"domains": ["photo", "negative", "sketch"]}}}}
    )
    assert plan == {
        "convert_real_images": 1,
        "collect_real_images": 1,
        "score_images": 3,
        "compute_metrics": 3,
        "select_alpha": 3,
        "export_model": 2,
        "draw_figures": 1,
        "write_page": 1,
    }


def test_training_on_real_images_changes_that_method_alone(with_methods: Path, planner: Planner) -> None:
    plan = planner.plan(with_methods, all_methods({"methods": {"regft": {"train_on": "real"}}}))
    assert {rule: plan[rule] for rule in ("train_finetune", "score_images")} == {"train_finetune": 1, "score_images": 3}
    assert not {"generate_images", "train_ogen", "train_vl2v_adip", "convert_real_images"} & set(plan)


def test_training_on_mixed_images_changes_that_method_alone(with_methods: Path, planner: Planner) -> None:
    plan = planner.plan(with_methods, all_methods({"methods": {"regft": {"train_on": "mixed", "shots": 4}}}))
    assert plan == {
        "train_finetune": 1,
        "score_images": 3,
        "compute_metrics": 1,
        "select_alpha": 1,
        "export_model": 1,
        "draw_figures": 1,
        "write_page": 1,
    }


def test_another_head_retrains_its_method_and_is_measured_itself(with_methods: Path, planner: Planner) -> None:
    heads = {"short": {"kind": "single", "template": "{}"}}
    changes = {"datasets": {"digits": {"prompts": {"heads": heads}}}, "methods": {"regft": {"head": "short"}}}
    assert planner.plan(with_methods, all_methods(changes)) == {
        "write_head_prompts": 1,
        "build_zero_shot_head": 1,
        "train_finetune": 1,
        "score_images": 3 + 2,
        "compute_metrics": 2,
        "select_alpha": 2,
        "export_model": 1,
        "draw_figures": 1,
        "write_page": 1,
    }


def test_leaving_domains_out_adds_a_run_per_domain(with_methods: Path, planner: Planner) -> None:
    plan = planner.plan(with_methods, all_methods({"methods": {"regft": {"leave_one_domain_out": True}}}))
    assert {rule: plan[rule] for rule in ("train_finetune", "score_images", "compute_metrics")} == {
        "train_finetune": 2,
        "score_images": 6,
        "compute_metrics": 2,
    }


def test_another_base_list_retrains_what_is_trained_on_base_classes(with_methods: Path, planner: Planner) -> None:
    plan = planner.plan(
        with_methods, all_methods({"datasets": {"digits": {"base_classes": ["zero", "two", "four", "nine"]}}})
    )
    assert (plan["train_finetune"], plan["train_ogen"]) == (1, 1)
    assert not {"train_vl2v_sd", "train_vl2v_adip", "build_zero_shot_head"} & set(plan)


def test_blocks_that_no_run_names_change_nothing(with_methods: Path, planner: Planner) -> None:
    other = {"kind": "hub", "repository": "org/name", "revision": "main"}
    assert planner.plan(with_methods, all_methods({"clips": {"other-clip": other}})) == {}


SHARED_RULES = {
    "write_class_names",
    "write_generation_prompts",
    "convert_real_images",
    "collect_real_images",
    "pretrain_clip",
    "pretrain_autoencoder",
    "pretrain_text_to_image",
    "pretrain_student",
    "generate_images",
    "collect_generated_images",
    "embed_images",
}
"""Rules whose products lie in results/shared."""


def test_another_configuration_shares_what_is_equal_and_nothing_else(with_methods: Path, planner: Planner) -> None:
    plan = planner.plan(with_methods, all_methods({"name": "other"}))
    assert set(plan) == set(FOLLOWS) - SHARED_RULES
    # Two of the same shard's images per class are one shard each: more images share the first.
    fewer = {"name": "other", "generators": {"digits-diffusion": {"images_per_class": 8}}}
    assert planner.plan(with_methods, all_methods(fewer))["generate_images"] == 2
    more = {"name": "other", "generators": {"digits-diffusion": {"images_per_class": 32}}}
    assert planner.plan(with_methods, all_methods(more))["generate_images"] == 2
    steps = {"name": "other", "generators": {"digits-diffusion": {"steps": 3}}}
    assert SHARED_RULES & set(planner.plan(with_methods, all_methods(steps))) == {
        "generate_images",
        "collect_generated_images",
        "embed_images",
    }
    clip = planner.plan(with_methods, all_methods({"name": "other", "clips": {"digits-clip": {"seed": 7}}}))
    assert not {"write_class_names", "convert_real_images", "pretrain_autoencoder", "pretrain_student"} & set(clip)
    assert (clip["pretrain_clip"], clip["pretrain_text_to_image"]) == (1, 1)


@pytest.mark.parametrize("methods", [[], ["zero-shot"]])
def test_zero_shot_alone_draws_nothing(methods: list[str], planner: Planner, tmp_path: Path) -> None:
    block = {"datasets": ["digits"], "sources": ["digits-diffusion"], "clips": ["digits-clip"], "methods": methods}
    for runs in ([block], [{key: value for key, value in block.items() if key != "sources"}]):
        assert planner.plan(ROOT, {"runs": runs}, directory=tmp_path) == {
            "write_class_names": 1,
            "convert_real_images": 4,
            "collect_real_images": 4,
            "pretrain_clip": 1,
            "write_head_prompts": 1,
            "build_zero_shot_head": 1,
            "score_images": 2,
            "compute_metrics": 1,
            "select_alpha": 1,
            "draw_figures": 1,
            "write_page": 1,
        }
