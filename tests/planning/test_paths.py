"""Paths of the configuration: every fault has one line, all at once, before any job; unused blocks are left alone."""

import copy
import gzip
import json
import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import save_file

from tests.workflow.harness import ROOT, merge
from workflow_scripts.common.checkpoint_files import CLIP_FILES, OPEN_CLIP_CONFIG, OPEN_CLIP_WEIGHTS, PIPELINE_INDEX
from workflow_scripts.common.errors import InputError
from workflow_scripts.common.files import write_json
from workflow_scripts.planning.paths import path_errors
from workflow_scripts.planning.plan import Plan
from workflow_scripts.planning.validation import validated_configuration

CLASSES = ("cat", "dog")
INDEX: dict[str, Any] = {
    "_class_name": "StableDiffusionPipeline",
    "_diffusers_version": "0.35",
    "feature_extractor": [None, None],
    "requires_safety_checker": True,
    "safety_checker": ["stable_diffusion", "StableDiffusionSafetyChecker"],
    "scheduler": ["diffusers", "DDIMScheduler"],
    "text_encoder": ["transformers", "CLIPTextModel"],
    "tokenizer": ["transformers", "CLIPTokenizer"],
    "unet": ["diffusers", "UNet2DConditionModel"],
    "vae": ["diffusers", "AutoencoderKL"],
}
UNET_WEIGHTS = "diffusion_pytorch_model.safetensors"


def weights(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({"a": torch.zeros(2, 3)}, path)


def clip(folder: Path) -> None:
    write_json(folder / OPEN_CLIP_CONFIG, {"model_cfg": {"embed_dim": 8}, "preprocess_cfg": {}})
    weights(folder / OPEN_CLIP_WEIGHTS)


def student(folder: Path) -> None:
    write_json(folder / "config.json", {"architecture": "vit", "pretrained_cfg": {"input_size": [3, 8, 8]}})
    weights(folder / "model.safetensors")


def generator(folder: Path) -> None:
    write_json(folder / PIPELINE_INDEX, INDEX)
    write_json(folder / "scheduler/scheduler_config.json", {})
    write_json(folder / "tokenizer/tokenizer_config.json", {})
    for name in ("text_encoder", "safety_checker", "unet", "vae"):
        write_json(folder / name / "config.json", {})
        weights(folder / name / (UNET_WEIGHTS if name in ("unet", "vae") else "model.safetensors"))


def pictures(folder: Path, names: tuple[str, ...] = CLASSES) -> None:
    for name in names:
        (folder / name).mkdir(parents=True)
        (folder / name / "1.png").touch()


def idx(path: Path, shape: tuple[int, ...]) -> None:
    content = bytes((0, 0, 8, len(shape))) + struct.pack(f">{len(shape)}I", *shape) + bytes(torch.Size(shape).numel())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def idx_files(folder: Path) -> None:
    for prefix, count in (("train", 3), ("t10k", 2)):
        idx(folder / f"{prefix}-images-idx3-ubyte.gz", (count, 28, 28))
        idx(folder / f"{prefix}-labels-idx1-ubyte", (count,))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a folder in which everything that `config_of` names is whole."""
    clip(tmp_path / "clip")
    student(tmp_path / "student")
    generator(tmp_path / "generator")
    pictures(tmp_path / "test")
    pictures(tmp_path / "train")
    idx_files(tmp_path / "idx")
    write_json(tmp_path / "descriptions.json", {name: [f"a {name}"] for name in CLASSES})
    (tmp_path / "names.txt").write_text("cat\ndog\n")
    return tmp_path


def config_of(root: Path | str) -> dict[str, Any]:
    """Return a configuration whose every path lies in one folder."""
    prompts: dict[str, Any] = {"domains": {"photo": ["a {}"]}}
    config: dict[str, Any] = {
        "name": "mine",
        "datasets": {
            "mine": {
                "classes_file": f"{root}/names.txt",
                "images": {"kind": "folder", "test": {"photo": f"{root}/test"}, "train": {"photo": f"{root}/train"}},
                "prompts": {
                    **prompts,
                    "heads": {"default": {"kind": "descriptions", "file": f"{root}/descriptions.json"}},
                },
            },
            "fashion": {"images": {"kind": "fashion-mnist", "folder": f"{root}/idx"}, "prompts": prompts},
        },
        "clips": {"vit": {"kind": "folder", "path": f"{root}/clip"}},
        "generators": {
            "sd": {"checkpoint": {"kind": "folder", "path": f"{root}/generator"}},
            "again": {"checkpoint": {"kind": "shared", "generator": "sd"}, "steps": 3},
        },
        "students": {"small": {"kind": "folder", "path": f"{root}/student"}},
        "methods": {"adip": {"kind": "vl2v-adip", "student": "small"}},
        "alphas": ["0.00", "1.00"],
        "runs": [{"datasets": ["mine", "fashion"], "sources": ["again"], "clips": ["vit"], "methods": ["adip"]}],
        "pickers": {"fixed": {"kind": "fixed", "alpha": "1.00"}},
        "report": {"title": "paths"},
    }
    return config


def lines(config: dict[str, Any]) -> list[str]:
    """Return the lines that refuse a configuration, none where it can be planned."""
    try:
        Plan(config)
    except InputError as error:
        return str(error).split("\n")
    return []


def test_whole_files_are_no_fault(root: Path) -> None:
    assert lines(config_of(root)) == []


def replaced(name: str, content: str | bytes | None) -> Callable[[Path], object]:
    """Return a change that writes a file, or takes it away."""

    def change(root: Path) -> None:
        (root / name).unlink(missing_ok=True)
        if content is not None:
            (root / name).write_bytes(content if isinstance(content, bytes) else content.encode())

    return change


def shortened(name: str) -> Callable[[Path], object]:
    return lambda root: os.truncate(root / name, (root / name).stat().st_size - 1)


def moved(name: str, target: str) -> Callable[[Path], object]:
    return lambda root: (root / name).rename(root / target)


def indexed(**changes: Any) -> Callable[[Path], object]:
    return lambda root: write_json(root / "generator" / PIPELINE_INDEX, {**INDEX, **changes})


def sharded(*names: str) -> Callable[[Path], object]:
    """Return a change that cuts the weights of the denoiser in two files, of which those named exist."""

    def change(root: Path) -> None:
        unet = root / "generator/unet"
        (unet / UNET_WEIGHTS).unlink()
        write_json(unet / f"{UNET_WEIGHTS}.index.json", {"weight_map": {"a": "1.safetensors", "b": "2.safetensors"}})
        for name in names:
            weights(unet / name)

    return change


LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"
AGAIN = "get the checkpoint again"
OPEN_CLIP = f"a clip checkpoint in open_clip's format is {' and '.join(CLIP_FILES)}"
TIMM = "a student checkpoint in timm's format is config.json and model.safetensors"
CLIP, SD, SMALL = "clips.vit.path: ROOT/clip", "generators.sd.checkpoint.path: ROOT/generator", "students.small.path: "
MINE, FASHION = "datasets.mine", "datasets.fashion.images.folder: ROOT/idx"
HEAD = f"{MINE}.prompts.heads.default.file: ROOT/descriptions.json"

# ruff: noqa: E501
FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "no clip": (moved("clip", "x"), f"{CLIP}: no such folder; it should hold the files of a checkpoint"),
    "clip is a file": (lambda root: (root / "clip").rename(root / "x") and (root / "clip").write_bytes(b""), f"{CLIP}: no such folder; it should hold the files of a checkpoint"),
    "no configuration": (replaced(f"clip/{OPEN_CLIP_CONFIG}", None), f"{CLIP}: no {OPEN_CLIP_CONFIG}; {OPEN_CLIP}"),
    "empty configuration": (replaced(f"clip/{OPEN_CLIP_CONFIG}", "{}"), f"{CLIP}/{OPEN_CLIP_CONFIG}: says no model_cfg; {AGAIN}"),
    "configuration is a list": (replaced(f"clip/{OPEN_CLIP_CONFIG}", "[]"), f"{CLIP}/{OPEN_CLIP_CONFIG}: not a configuration; {AGAIN}"),
    "no weights": (replaced(f"clip/{OPEN_CLIP_WEIGHTS}", None), f"{CLIP}: no {OPEN_CLIP_WEIGHTS}; {OPEN_CLIP}"),
    "pickled clip": (moved(f"clip/{OPEN_CLIP_WEIGHTS}", "clip/open_clip_pytorch_model.bin"), f"{CLIP}: no {OPEN_CLIP_WEIGHTS}, but open_clip_pytorch_model.bin; only safetensors are read, pickles never: convert it first"),
    "cut clip": (shortened(f"clip/{OPEN_CLIP_WEIGHTS}"), f"{CLIP}/{OPEN_CLIP_WEIGHTS}: cut short (95 bytes instead of 96); {AGAIN}"),
    "pointer": (replaced(f"clip/{OPEN_CLIP_WEIGHTS}", LFS), f"{CLIP}/{OPEN_CLIP_WEIGHTS}: a pointer of Git LFS, not the weights; run 'git lfs pull' in its repository"),
    "code": (replaced("clip/tokenizer_config.json", '{"auto_map": {"a": 1}}'), f"{CLIP}/tokenizer_config.json: asks for code of its own (auto_map), which is never run; use a plain model"),
    "no student": (moved("student", "x"), f"{SMALL}ROOT/student: no such folder; it should hold the files of a checkpoint"),
    "no student's configuration": (replaced("student/config.json", None), f"{SMALL}ROOT/student: no config.json; {TIMM}"),
    "student of transformers": (replaced("student/config.json", '{"architecture": "vit"}'), f"{SMALL}ROOT/student/config.json: says no pretrained_cfg; {AGAIN}"),
    "no student's weights": (replaced("student/model.safetensors", None), f"{SMALL}ROOT/student: no model.safetensors; {TIMM}"),
    "cut student": (shortened("student/model.safetensors"), f"{SMALL}ROOT/student/model.safetensors: cut short (95 bytes instead of 96); {AGAIN}"),
    "no generator": (moved("generator", "x"), f"{SD}: no such folder; it should hold the files of a checkpoint"),
    "no index": (replaced(f"generator/{PIPELINE_INDEX}", None), f"{SD}: no {PIPELINE_INDEX}; a text-to-image checkpoint is a diffusers folder"),
    "index is no JSON": (replaced(f"generator/{PIPELINE_INDEX}", "{"), f"{SD}/{PIPELINE_INDEX}: not readable JSON (Expecting property name enclosed in double quotes: line 1 column 2 (char 1)); {AGAIN}"),
    "no class": (indexed(_class_name=None), f"{SD}/{PIPELINE_INDEX}: says no _class_name; {AGAIN}"),
    "half a component": (indexed(unet=["diffusers"]), f"{SD}/{PIPELINE_INDEX}: unet is not [library, class]; {AGAIN}"),
    "no component": (moved("generator/vae", "x"), f"{SD}/vae: no such folder; it should hold the AutoencoderKL"),
    "empty tokenizer": (replaced("generator/tokenizer/tokenizer_config.json", None), f"{SD}/tokenizer: no tokenizer_config.json; {AGAIN}"),
    "no block": (replaced(f"clip/{OPEN_CLIP_CONFIG}", '{"model_cfg": 5}'), f"{CLIP}/{OPEN_CLIP_CONFIG}: says no model_cfg; {AGAIN}"),
    "no scheduler": (moved("generator/scheduler", "x"), f"{SD}/scheduler: no such folder; it should hold the DDIMScheduler"),
    "no component's configuration": (replaced("generator/vae/config.json", None), f"{SD}/vae: no config.json; {AGAIN}"),
    "no component's weights": (replaced(f"generator/unet/{UNET_WEIGHTS}", None), f"{SD}/unet: no {UNET_WEIGHTS}; {AGAIN}"),
    "no safety checker's weights": (replaced("generator/safety_checker/model.safetensors", None), f"{SD}/safety_checker: no {UNET_WEIGHTS} or model.safetensors; {AGAIN}"),
    "variant": (moved(f"generator/unet/{UNET_WEIGHTS}", "generator/unet/diffusion_pytorch_model.fp16.safetensors"), f"{SD}/unet: no {UNET_WEIGHTS}, but diffusion_pytorch_model.fp16.safetensors; a folder's weights are read without a variant: rename it"),
    "pickled component": (moved(f"generator/unet/{UNET_WEIGHTS}", "generator/unet/diffusion_pytorch_model.bin"), f"{SD}/unet: only pickled weights, which are never loaded; convert them to safetensors first"),
    "cut component": (shortened("generator/text_encoder/model.safetensors"), f"{SD}/text_encoder/model.safetensors: cut short (95 bytes instead of 96); {AGAIN}"),
    "missing shard": (sharded("1.safetensors"), f"{SD}/unet/2.safetensors: missing; {AGAIN}"),
    "empty index of shards": (replaced(f"generator/unet/{UNET_WEIGHTS}.index.json", "{}"), f"{SD}/unet/{UNET_WEIGHTS}.index.json: not an index of weights; {AGAIN}"),
    "no test folder": (moved("test", "x"), f"{MINE}.images.test.photo: ROOT/test: no such folder; it should hold one folder of pictures per class"),
    "no folder of a class": (moved("train/dog", "x"), f"{MINE}.images.train.photo: ROOT/train: no folder for class 'dog' (expected 'dog')"),
    "folder of no class": (lambda root: pictures(root / "train", ("cow",)), f"{MINE}.images.train.photo: ROOT/train: folder 'cow' is no class"),
    "no picture": (replaced("test/cat/1.png", None), f"{MINE}.images.test.photo: ROOT/test: folder 'cat' holds no picture"),
    "no IDX folder": (moved("idx", "x"), f"{FASHION}: no such folder; it should hold Fashion-MNIST's four IDX files"),
    "no IDX file": (replaced("idx/train-images-idx3-ubyte.gz", None), f"{FASHION}/train-images-idx3-ubyte: missing (with or without .gz); put Fashion-MNIST's four IDX files there"),
    "cut IDX file": (shortened("idx/t10k-labels-idx1-ubyte"), f"{FASHION}/t10k-labels-idx1-ubyte: not an IDX file of 1 dimensions, or cut short; get the file again"),
    "cut packed file": (shortened("idx/t10k-images-idx3-ubyte.gz"), f"{FASHION}/t10k-images-idx3-ubyte.gz: damaged or not readable (Compressed file ended before the end-of-stream marker was reached); get the file again"),
    "other dimensions": (lambda root: idx(root / "idx/train-labels-idx1-ubyte", (3, 1)), f"{FASHION}/train-labels-idx1-ubyte: not an IDX file of 1 dimensions, or cut short; get the file again"),
    "other count": (lambda root: idx(root / "idx/train-labels-idx1-ubyte", (4,)), f"{FASHION}: 3 pictures but 4 labels for train; get the files again"),
    "no descriptions": (replaced("descriptions.json", None), f"{HEAD}: missing; it should hold descriptions as {{class: [sentences]}}"),
    "descriptions are a list": (replaced("descriptions.json", "[]"), f"{HEAD}: descriptions are one object {{class: [sentences]}}"),
    "class without sentences": (replaced("descriptions.json", '{"cat": ["x"], "dog": []}'), f"{HEAD}: no list of sentences for 'dog'"),
    "hidden character": (replaced("descriptions.json", r'{"cat": ["x"], "dog": ["a\u0000"]}'), f"{HEAD}: sentence 1 of 'dog' holds control characters (U+0000)"),
    "no file of names": (replaced("names.txt", None), f"{MINE}.classes_file: ROOT/names.txt: missing; it should hold the class names, one per line"),
    "a name twice": (replaced("names.txt", "cat\ncat\n"), f"{MINE}.classes_file: ROOT/names.txt: class names: 'cat' occurs twice"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_is_one_line(name: str, root: Path) -> None:
    change, expected = FAULTS[name]
    change(root)
    assert lines(config_of(root)) == [expected.replace("ROOT", str(root))]


def test_a_judge_knows_the_classes(root: Path) -> None:
    config, path = config_of(root), root / "student/config.json"
    config["datasets"]["mine"]["judge"] = "small"
    says = "names no classes (`label_names`); a judge must say what its outputs stand for"
    assert lines(config) == [f"datasets.mine.judge: {path}: {says}"]
    known = json.loads(path.read_text())
    write_json(path, {**known, "label_names": ["owl", "cat"]})
    assert lines(config) == ["datasets.mine.judge: small does not know 'dog'; leave the key out, or train one"]
    write_json(path, {**known, "label_names": ["owl", "dog", "cat"]})
    assert lines(config) == []


@pytest.mark.parametrize(("patch", "size", "right"), [(8, 16, False), (8, 32, True), (8, None, True), (2, 16, True)])
def test_a_transformer_over_a_whole_latent_draws_one_size(
    root: Path, patch: int, size: int | None, right: bool
) -> None:
    config = config_of(root)
    config["generators"]["again"]["size"] = size
    write_json(root / "generator/transformer/config.json", {"patch_size": patch, "sample_size": 8})
    write_json(root / "generator/vae/config.json", {"block_out_channels": [8, 8, 8]})
    wrong = "generators.again.size: sd draws 32 x 32 pixels alone; leave it out"
    assert lines(config) == ([] if right else [wrong])


def test_so_does_one_that_is_pretrained_here() -> None:
    preset = yaml.safe_load((ROOT / "presets/icons-pretraining.yaml").read_text(encoding="utf-8"))
    preset["generators"]["icon-generator"]["size"] = 64
    errors = path_errors(validated_configuration(preset), {})
    wrong = "generators.icon-generator.size: icon-generator draws 32 x 32 pixels alone; leave it out"
    assert [error for error in errors if error.startswith("generators")] == [wrong]


def test_shards_are_no_fault(root: Path) -> None:
    sharded("1.safetensors", "2.safetensors")(root)
    assert lines(config_of(root)) == []
    shortened("generator/unet/2.safetensors")(root)
    assert lines(config_of(root)) == [
        f"generators.sd.checkpoint.path: {root}/generator/unet/2.safetensors: cut short (95 bytes instead of 96); {AGAIN}"
    ]


def test_all_faults_come_at_once(root: Path) -> None:
    chosen = ["cut clip", "code", "no student", "missing shard", "folder of no class"]
    chosen += ["no component", "no picture", "no IDX file", "other dimensions", "class without sentences"]
    for name in chosen:
        FAULTS[name][0](root)
        shutil.rmtree(root / "x", ignore_errors=True)
    config = config_of(root)
    config["datasets"]["other"] = {"classes": ["x"], "images": {"kind": "none"}, "prompts": {"domains": {"a": ["{}"]}}}
    config["runs"][0]["datasets"].append("other")
    config["datasets"]["mine"]["base_classes"] = ["cow"]
    expected = {FAULTS[name][1].replace("ROOT", str(root)) for name in chosen}
    expected |= {
        "datasets.other: class names: 1 class is too few: a classifier needs at least 2",
        "datasets.mine.base_classes: 'cow' is not one of its classes",
    }
    found = lines(config)
    assert len(found) == len(set(found)) == len(expected)
    assert set(found) == expected


def test_every_class_that_is_missing_has_a_line(root: Path) -> None:
    names = [f"class {number}" for number in range(8)]
    (root / "names.txt").write_text("\n".join(["cat", "dog", *names]))
    found = lines(config_of(root))
    assert found == [
        *(f"{MINE}.images.{role}.photo: {root}/{role}: no folder for class {n!r} (expected {n!r})" for role in ("test", "train") for n in names),
        *(f"{MINE}.prompts.heads.default.file: {root}/descriptions.json: no list of sentences for {n!r}" for n in names),
    ]  # fmt: skip


def test_what_does_not_fit_and_what_is_not_there_come_at_once(root: Path) -> None:
    config = config_of(root)
    config["runs"][0]["sources"] = [*config["runs"][0]["sources"], "nobody"]
    FAULTS["no picture"][0](root)
    found = lines(config)
    assert len(found) == 2
    assert found[0].startswith("runs.0.sources: 'nobody' is not defined")
    assert "holds no picture" in found[1]


@pytest.mark.parametrize("other", ["{root}/test/", "{root}/x/../test", "{root}", "{root}/test/cat", "{root}/link"])
def test_a_test_folder_under_another_name_is_seen(other: str, root: Path) -> None:
    (root / "x").mkdir()
    (root / "link").symlink_to(root / "test")
    config = config_of(root)
    config["datasets"]["mine"]["images"]["train"] = {"photo": other.format(root=root)}
    config["methods"]["adip"] |= {"train_on": "real"}
    found = [line for line in lines(config) if "shares pictures with a test folder" in line]
    assert found
    assert found[0].startswith(f"{MINE}.images.train.photo: '{other.format(root=root)}' shares pictures")


def test_a_folder_that_names_the_classes_has_one_line(root: Path) -> None:
    config = config_of(root)
    del config["datasets"]["mine"]["classes_file"]
    assert lines(config) == []
    moved("test", "x")(root)
    moved("train", "y")(root)
    assert lines(config) == [
        f"{MINE}.images.{role}.photo: {root}/{role}: no such folder; it should hold one folder of pictures per class"
        for role in ("test", "train")
    ]


def test_a_folder_that_is_named_twice_has_one_line(root: Path) -> None:
    config = config_of(root)
    config["datasets"]["mine"]["images"]["train"] = {"photo": f"{root}/test"}
    config["methods"]["adip"] |= {"train_on": "generated"}
    FAULTS["no picture"][0](root)
    assert lines(config) == [f"{MINE}.images.test.photo: {root}/test: folder 'cat' holds no picture"]


def test_blocks_that_no_run_uses_are_not_looked_at(root: Path) -> None:
    config = config_of(root)
    elsewhere = config_of("/nowhere")
    for kind in ("datasets", "clips", "students", "generators"):
        config[kind] |= {f"unused-{name}": block for name, block in elsewhere[kind].items() if name != "again"}
    config["methods"]["unused"] = {"kind": "vl2v-adip", "student": "unused-small"}
    assert lines(config) == []
    config["runs"][0]["sources"] = ["unused-sd"]
    assert lines(config) == [
        "generators.unused-sd.checkpoint.path: /nowhere/generator: no such folder; it should hold the files of a checkpoint"
    ]


def test_a_safety_checker_that_is_not_run_may_be_missing(root: Path) -> None:
    moved("generator/safety_checker", "x")(root)
    config = config_of(root)
    line = FAULTS["no component"][1].replace("ROOT", str(root))
    missing = line.replace("vae", "safety_checker").replace("AutoencoderKL", "StableDiffusionSafetyChecker")
    assert lines(config) == [missing]
    config["generators"]["again"]["safety_checker"] = False
    assert lines(config) == []
    config["runs"][0]["sources"].append("sd")
    assert lines(config) == [missing]


@pytest.mark.parametrize("kind", ["clips", "generators"])
def test_a_corpus_is_used_by_what_is_pretrained_on_it(kind: str, root: Path) -> None:
    base, digits = (yaml.safe_load((ROOT / name).read_text()) for name in ("config.yaml", "presets/digits.yaml"))
    config: dict[str, Any] = merge(base, digits)
    config["datasets"]["seen"] = {**config_of("/nowhere")["datasets"]["mine"], "classes": list(CLASSES)}
    del config["datasets"]["seen"]["classes_file"]
    block = (
        config["clips"]["digits-clip"] if kind == "clips" else config["generators"]["digits-diffusion"]["checkpoint"]
    )
    block["corpus"] = {"kind": "images", "dataset": "seen", "images": 10, "mixture_weights": {"photo": 1}}
    if kind == "clips":
        # Named by no run: only the generator that stands on it leads there.
        config["clips"] |= {"vit": {"kind": "hub", "repository": "a/b", "revision": "main"}}
        config["runs"][0]["clips"] = ["vit"]
    # The sentences of a corpus' data set are not read by anything.
    assert lines(config) == [
        f"datasets.seen.images.{role}.photo: /nowhere/{role}: no such folder; it should hold one folder of pictures per class"
        for role in ("test", "train")
    ]


def test_names_that_nobody_defines_are_passed_over(root: Path) -> None:
    configuration = validated_configuration(config_of(root))
    (block,) = configuration.runs
    undefined = dict.fromkeys(("datasets", "sources", "clips", "methods"), ("nobody",))
    assert path_errors(configuration.model_copy(update={"runs": (block.model_copy(update=undefined),)}), {}) == []
    for key in ("datasets", "clips", "generators", "students", "methods"):
        assert path_errors(configuration.model_copy(update={key: {}}), {}) == []
    owner = {"again": configuration.generators["again"]}
    assert path_errors(configuration.model_copy(update={"generators": owner}), {}) == []


def test_the_home_folder_is_found(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(root))
    assert lines(config_of("~")) == []
    FAULTS["cut clip"][0](root)
    assert lines(config_of("~")) == [FAULTS["cut clip"][1].replace("ROOT", str(root))]
    config = copy.deepcopy(config_of(root))
    config["clips"]["vit"]["path"] = "~nobody-here/clip"
    assert lines(config) == [
        "clips.vit.path: ~nobody-here/clip: no such folder; it should hold the files of a checkpoint"
    ]


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("clip", f"{CLIP}: not a readable folder (Permission denied); check the path and its permissions"),
        ("generator/unet", f"{SD}/unet: not a readable folder (Permission denied); check the path and its permissions"),
        ("test/dog", f"{MINE}.images.test.photo: ROOT/test: folder 'dog' may not be read: check its permissions"),
        ("idx", f"{FASHION}: not a readable folder (Permission denied); check the path and its permissions"),
    ],
)
def test_a_folder_that_may_not_be_read_is_named(name: str, line: str, root: Path) -> None:
    (root / name).chmod(0)
    try:
        assert lines(config_of(root)) == [line.replace("ROOT", str(root))]
    finally:
        (root / name).chmod(0o700)


def test_checking_imports_nothing_heavy(root: Path) -> None:
    code = (
        "import sys, json; from workflow_scripts.planning.plan import Plan; Plan(json.loads(sys.argv[1])); "
        "heavy = ('torch', 'numpy', 'pandas', 'pyarrow', 'PIL', 'safetensors', 'open_clip', 'huggingface_hub'); "
        "print([name for name in heavy if name in sys.modules])"
    )
    command = [sys.executable, "-c", code, json.dumps(config_of(root))]
    completed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert completed.stdout.strip() == "[]"
