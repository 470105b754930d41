"""One configuration from files and the command line: what stands alone, what extends what, and single values."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from snakemake.cli import parse_config

from tests.workflow.harness import ROOT, digits_with
from workflow_scripts.common.errors import InputError
from workflow_scripts.planning.configuration import DEFAULT_ALPHAS
from workflow_scripts.planning.configuration_files import Layers, load_configuration, module_configuration
from workflow_scripts.planning.plan import Plan
from workflow_scripts.planning.validation import validated_configuration

ALONE: dict[str, Any] = {
    "name": "mine",
    "datasets": {
        "pets": {
            "classes": ["cat", "dog"],
            "images": {"kind": "none"},
            "prompts": {"domains": {"photo": ["a photo of a {}."]}},
        }
    },
    "clips": {"small-clip": {"kind": "hub", "repository": "org/clip", "revision": "abc"}},
    "generators": {"sd": {"checkpoint": {"kind": "hub", "repository": "org/sd", "revision": "abc"}}},
    "methods": {"regft": {"kind": "finetune", "variance_weight": 0.16, "covariance_weight": 0.02}},
    "runs": [{"datasets": ["pets"], "sources": ["sd"], "clips": ["small-clip"], "methods": ["regft"]}],
}


def write(path: Path, values: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(values if isinstance(values, str) else yaml.safe_dump(values), encoding="utf-8")
    return path


def loaded(*files: Path, folder: Path = ROOT, changes: tuple[str, ...] = ()) -> Layers:
    """Return the configuration of files and of `--config` options, read as Snakemake reads them."""
    return load_configuration(files=files, workflow_folder=folder, changes=parse_config(changes))


def refusal(*files: Path, folder: Path = ROOT, changes: tuple[str, ...] = ()) -> str:
    with pytest.raises(InputError) as caught:
        loaded(*files, folder=folder, changes=changes)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_without_a_file_the_demo_runs() -> None:
    assert loaded().values == yaml.safe_load((ROOT / "config.yaml").read_text())
    assert validated_configuration(loaded().values).name == "demo"


def test_a_configuration_that_names_runs_is_whole(tmp_path: Path) -> None:
    layers = loaded(write(tmp_path / "mine.yaml", ALONE))
    assert layers.values == ALONE
    assert layers.replaced == ()
    configuration = validated_configuration(layers.values)
    # Blocks that are called as the demo's have the documented defaults, not the demo's values.
    regft = configuration.methods["regft"].model_dump()
    assert (regft["learning_rate"], regft["batch_size"], regft["variance_weight"]) == (3e-5, 128, 0.16)
    assert configuration.clips["small-clip"].kind == "hub"
    assert (configuration.alphas, configuration.exports) == (DEFAULT_ALPHAS, ())
    assert set(configuration.methods) == {"regft"}


def test_a_method_of_any_name_has_the_published_defaults(tmp_path: Path) -> None:
    methods = {"vl2v-sd": {"kind": "vl2v-sd"}}
    runs = [{**ALONE["runs"][0], "methods": ["vl2v-sd"]}]
    configuration = validated_configuration(
        loaded(write(tmp_path / "a.yaml", {**ALONE, "methods": methods, "runs": runs})).values
    )
    settings = configuration.methods["vl2v-sd"].model_dump()
    assert settings["training"] == {"steps": 5001, "validate_every": 200, "learning_rate": 5e-5}
    assert settings["augmentation"] == {
        "min_crop_scale": 0.7, "flip": True, "color_jitter": 0.3, "grayscale": 0.1
    }  # fmt: skip


def test_a_file_without_runs_is_refused_with_the_way_out(tmp_path: Path) -> None:
    path = write(tmp_path / "part.yaml", {"threads": {"training": 2}})
    way_out = "add `name` and `runs`, or `extends: config.yaml` to build on the demo's configuration"
    assert refusal(path) == f"{path}: names no runs: {way_out}"


def test_a_named_block_is_replaced_whole_and_said(tmp_path: Path) -> None:
    write(tmp_path / "base.yaml", {**ALONE, "alphas": ["0.00", "0.50"], "report": {"title": "base", "published": []}})
    over = {
        "extends": "base.yaml",
        "datasets": {"pets": {**ALONE["datasets"]["pets"], "images": {"kind": "digits"}}},
        "methods": {"regft": {"kind": "finetune", "epochs": 2}, "more": {"kind": "finetune"}},
        "report": {"title": "over"},
    }
    layers = loaded(write(tmp_path / "over.yaml", over))
    assert layers.values["methods"] == {"regft": {"kind": "finetune", "epochs": 2}, "more": {"kind": "finetune"}}
    assert layers.values["datasets"]["pets"]["images"] == {"kind": "digits"}
    assert layers.values["report"] == {"title": "over"}
    assert layers.values["alphas"] == ["0.00", "0.50"]
    assert layers.replaced == (
        "datasets.pets of base.yaml by that of over.yaml",
        "methods.regft of base.yaml by that of over.yaml",
        "report of base.yaml by that of over.yaml",
    )


def test_two_files_on_the_command_line_are_as_if_the_second_extended_the_first(tmp_path: Path) -> None:
    change = {"name": "b", "methods": {"regft": {"kind": "finetune"}}}
    first = write(tmp_path / "a.yaml", ALONE)
    second = write(tmp_path / "b.yaml", change)
    extending = write(tmp_path / "c.yaml", {"extends": "a.yaml", **change})
    assert loaded(first, second).values == loaded(extending).values
    assert loaded(first, second).values["methods"] == {"regft": {"kind": "finetune"}}
    assert "methods.regft of a.yaml by that of b.yaml" in loaded(first, second).replaced


def test_a_list_of_files_the_last_one_counts(tmp_path: Path) -> None:
    write(tmp_path / "a.yaml", ALONE)
    write(tmp_path / "b.yaml", {"alphas": ["0.10"], "exports": ["0.10"]})
    layers = loaded(write(tmp_path / "c.yaml", {"extends": ["a.yaml", "b.yaml"], "exports": []}))
    assert (layers.values["alphas"], layers.values["exports"], layers.values["name"]) == (["0.10"], [], "mine")


def test_a_file_is_looked_for_beside_the_extending_one_then_in_the_workflows_folder(tmp_path: Path) -> None:
    folder = tmp_path / "workflow"
    write(folder / "base.yaml", {**ALONE, "name": "workflow"})
    write(folder / "presets/base.yaml", {**ALONE, "name": "preset"})
    own = write(tmp_path / "own/c.yaml", {"extends": "base.yaml"})
    assert loaded(own, folder=folder).values["name"] == "workflow"
    write(tmp_path / "own/base.yaml", {**ALONE, "name": "beside"})
    assert loaded(own, folder=folder).values["name"] == "beside"
    assert loaded(write(own, {"extends": "presets/base.yaml"}), folder=folder).values["name"] == "preset"
    assert loaded(write(own, {"extends": str(folder / "base.yaml")}), folder=folder).values["name"] == "workflow"
    assert refusal(write(own, {"extends": "none.yaml"}), folder=folder) == (
        f"{own}: extends: there is no file 'none.yaml' in {own.parent} or {folder}"
    )


def test_files_may_share_what_they_extend_but_not_each_other(tmp_path: Path) -> None:
    write(tmp_path / "root.yaml", ALONE)
    write(tmp_path / "left.yaml", {"extends": "root.yaml", "exports": ["0.50"]})
    write(tmp_path / "right.yaml", {"extends": "root.yaml", "alphas": ["0.50"]})
    values = loaded(write(tmp_path / "both.yaml", {"extends": ["left.yaml", "right.yaml"]})).values
    assert (values["exports"], values["alphas"]) == (["0.50"], ["0.50"])
    write(tmp_path / "x.yaml", {"extends": "y.yaml"})
    write(tmp_path / "y.yaml", {"extends": "x.yaml"})
    assert refusal(tmp_path / "x.yaml").endswith(
        "extends: files extend each other in a circle (x.yaml -> y.yaml -> x.yaml)"
    )
    assert "in a circle (z.yaml -> z.yaml)" in refusal(write(tmp_path / "z.yaml", {"extends": "z.yaml"}))


@pytest.mark.parametrize(
    ("change", "key", "value"),
    [
        ('alphas=["0.00","0.50"]', ("alphas",), ["0.00", "0.50"]),
        ("name=other", ("name",), "other"),
        ("set={methods.regft.epochs: 1}", ("methods", "regft", "epochs"), 1),
        ("set={methods.regft.learning_rate: 3e-5}", ("methods", "regft", "learning_rate"), 3e-5),
        ("set={methods.regft.learning_rate: 0.001}", ("methods", "regft", "learning_rate"), 0.001),
        ("set={methods.regft.freeze_batch_norm: true}", ("methods", "regft", "freeze_batch_norm"), True),
        ("set={generators.sd.negative_prompt: null}", ("generators", "sd", "negative_prompt"), None),
        ("set={methods.regft.averaging: {kind: ema, decay: 0.9}}", ("methods", "regft", "averaging", "decay"), 0.9),
        ("set={methods.regft.averaging.kind: soup}", ("methods", "regft", "averaging", "kind"), "soup"),
        ("set={runs.0.seeds: [1, 2]}", ("runs", 0, "seeds"), [1, 2]),
        ("set={report.title: 2024}", ("report", "title"), "2024"),
        ("set={pickers: {mine: {kind: fixed, alpha: 0.50}}}", ("pickers", "mine", "alpha"), "0.50"),
        ("exports=[0.50, fixed]", ("exports",), ["0.50", "fixed"]),
        ("set={datasets.pets.classes: [yes, 1]}", ("datasets", "pets", "classes"), ["yes", "1"]),
        ("methods={regft: {kind: finetune, epochs: 3}}", ("methods", "regft"), {"kind": "finetune", "epochs": 3}),
    ],
)
def test_single_values_on_the_command_line(change: str, key: tuple[Any, ...], value: Any, tmp_path: Path) -> None:
    values: Any = loaded(write(tmp_path / "mine.yaml", ALONE), changes=(change,)).values
    assert validated_configuration(values)
    for part in key:
        values = values[part]
    assert values == value
    assert type(values) is type(value)


def test_several_values_at_once_and_on_the_demo_too(tmp_path: Path) -> None:
    values = loaded(changes=("set={methods.regft.epochs: 1, methods.plain.epochs: 2}", "exports=[]")).values
    assert [values["methods"][name]["epochs"] for name in ("regft", "plain")] == [1, 2]
    assert values["methods"]["regft"]["learning_rate"] == 3e-4
    assert values["exports"] == []
    assert values["name"] == "demo"


def test_a_name_with_dots_is_found(tmp_path: Path) -> None:
    config = {**ALONE, "methods": {"a.b": {"kind": "finetune"}, "a": {"kind": "finetune"}}}
    config["runs"] = [{**ALONE["runs"][0], "methods": ["a.b", "a"]}]
    values = loaded(
        write(tmp_path / "m.yaml", config), changes=("set={methods.a.b.epochs: 4, methods.a.epochs: 5}",)
    ).values
    assert (values["methods"]["a.b"]["epochs"], values["methods"]["a"]["epochs"]) == (4, 5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("set={methods.regtf.epochs: 1}", "--config set: methods.regtf.epochs: there is no block methods.regtf"),
        ("set={runs.3.seeds: [1]}", "--config set: runs.3.seeds: runs has no entry 3"),
        ("set={name.x: 1}", "--config set: name.x: name is a single value"),
        (
            "set={methods.regft.epochs: 1, methods.regft: {kind: finetune}, runs.3: 1}",
            "--config set: methods.regft.epochs: methods.regft is changed too, and holds it; give one of the two\n"
            "--config set: runs.3: runs has no entry 3",
        ),
        ("set=3", "--config set: a map of dotted keys is needed, as in 'set={methods.regft.epochs: 1}'"),
        ("extends=config.yaml", "--config extends: only a file can extend another; name both files under --configfile"),
    ],
)
def test_changes_that_lead_nowhere_are_refused(change: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        loaded(write(tmp_path / "mine.yaml", ALONE), changes=(change,))
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("set={methods.regft.epohcs: 1}", "methods.regft.epohcs: unknown key"),
        ("set={methods.regft.epochs: 1.5}", "methods.regft.epochs: Input should be a valid integer (given: 1.5)"),
        ("set={methods.regft.epochs: many}", "methods.regft.epochs: Input should be a valid integer (given: 'many')"),
        ("alphas=[0.5]", "alphas.0: an alpha is written with two to six decimals, as in \"0.50\" (given: '0.5')"),
    ],
)
def test_values_that_do_not_fit_are_refused_as_in_a_file(change: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        Plan(loaded(write(tmp_path / "mine.yaml", ALONE), changes=(change,)).values)
    assert str(caught.value) == message


def test_keys_are_texts_and_merged_keys_may_be_replaced(tmp_path: Path) -> None:
    text = "no: {010: a, 1.5: b}\nbase: &base {x: 1, y: 2}\nown: {<<: *base, y: 3}\nruns: []\n"
    values = loaded(write(tmp_path / "a.yaml", text)).values
    assert values == {"no": {"010": "a", "1.5": "b"}, "base": {"x": 1, "y": 2}, "own": {"x": 1, "y": 3}, "runs": []}


@pytest.mark.parametrize("entry", ["~nobody-here/x.yaml", "x" * 300, "a\0b"])
def test_what_no_path_can_be_is_no_file(entry: str, tmp_path: Path) -> None:
    path = write(tmp_path / "a.yaml", {"extends": ["none.yaml", entry]})
    with pytest.raises(InputError) as caught:
        loaded(path)
    lines = str(caught.value).split("\n")
    assert len(lines) == 2
    assert all(line.startswith(f"{path}: extends: there is no file ") for line in lines)


def test_what_two_files_extend_lies_below_both(tmp_path: Path) -> None:
    write(tmp_path / "root.yaml", ALONE)
    own = {"regft": {"kind": "finetune", "epochs": 1}}
    left = write(tmp_path / "left.yaml", {"extends": "root.yaml", "methods": own})
    right = write(tmp_path / "right.yaml", {"extends": "root.yaml", "alphas": ["0.50"]})
    both = write(tmp_path / "both.yaml", {"extends": ["left.yaml", "right.yaml"]})
    for layers in (loaded(both), loaded(left, right)):
        assert layers.values["methods"]["regft"] == own["regft"]
        assert layers.values["alphas"] == ["0.50"]
        assert layers.replaced[0] == "methods.regft of root.yaml by that of left.yaml"


def test_names_of_base_classes_are_texts_on_the_command_line_and_spelled_as_classes_are(tmp_path: Path) -> None:
    config = digits_with()
    config["datasets"]["digits"] |= {"classes": ["1", "no", "ankle_boot", *map(str, range(2, 9))]}
    path = write(tmp_path / "a.yaml", config)

    def base_of(names: str) -> tuple[int, ...] | None:
        return Plan(loaded(path, changes=(f"set={{datasets.digits.base_classes: {names}}}",)).values).base_labels(
            "digits"
        )

    assert base_of('["1", no, ankle_boot]') == (0, 1, 2)
    with pytest.raises(InputError) as caught:
        base_of("[bird, fish, no, no]")
    key = "datasets.digits.base_classes"
    expected = [
        f"{key}: 'bird' is not one of its classes",
        f"{key}: 'fish' is not one of its classes",
        f"{key}: a name occurs twice",
    ]
    assert str(caught.value).split("\n") == expected
    digits = config["datasets"]["digits"]
    two = {name: {**digits, "base_classes": ["bird", "fish", "no", "no"]} for name in ("digits", "again")}
    block = {**config["runs"][0], "datasets": list(two)}
    with pytest.raises(InputError) as caught:
        Plan({**config, "datasets": two, "runs": [block]})
    assert str(caught.value).split("\n") == [*expected, *(line.replace("digits", "again") for line in expected)]


def test_a_file_reads_exponents_as_numbers_and_quoted_ones_as_texts(tmp_path: Path) -> None:
    text = json.dumps(ALONE).replace("0.02", "2e-2")
    assert loaded(write(tmp_path / "a.yaml", text)).values["methods"]["regft"]["covariance_weight"] == 0.02
    quoted = loaded(write(tmp_path / "b.yaml", json.dumps(ALONE).replace("0.02", '"2e-2"')))
    with pytest.raises(InputError, match=r"methods\.regft\.covariance_weight: Input should be a valid number"):
        validated_configuration(quoted.values)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[1, 2]", "a map of blocks is needed, not list"),
        ("", "a map of blocks is needed, not NoneType"),
        ("a: [", "not a configuration in YAML (while parsing"),
        ("a: 1\na: 2\n", "the key 'a' stands twice"),
        ("methods: {m: {epochs: 1, epochs: 2}}", "the key 'epochs' stands twice"),
        ("extends: 3", "extends: a file or a list of files is needed, not 3"),
        ("extends: [base.yaml, {}]", "extends: a file or a list of files is needed"),
        ("extends: ''", "extends: a file or a list of files is needed, not ['']"),
        ("runs: !!python/object:os.system []", "not a configuration in YAML (could not determine a constructor"),
        ("? [a, b]\n: 1", "not a configuration in YAML (a key is no text"),
        ("a: {<<: *nowhere}", "not a configuration in YAML"),
    ],
)
@pytest.mark.parametrize("way", ["alone", "extended", "second", "module"])
def test_malformed_files_are_one_line_in_every_way_of_merging(
    content: str, message: str, way: str, tmp_path: Path
) -> None:
    bad = write(tmp_path / "bad.yaml", content)
    good = write(tmp_path / "good.yaml", ALONE)
    outer = write(tmp_path / "outer.yaml", {**ALONE, "extends": "bad.yaml"})
    ways: dict[str, Callable[[], Layers]] = {
        "alone": lambda: loaded(bad),
        "extended": lambda: loaded(outer),
        "second": lambda: loaded(good, bad),
        "module": lambda: module_configuration({"extends": str(bad), **ALONE}, workflow_folder=ROOT),
    }
    with pytest.raises(InputError) as caught:
        ways[way]()
    assert message in str(caught.value)
    assert str(caught.value).startswith(str(bad))
    assert "\n" not in str(caught.value)


def test_no_text_at_all_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "bytes.yaml", tmp_path / "none.yaml", tmp_path):
        assert refusal(path).startswith(f"{path}: not a readable configuration")


def test_a_chain_without_end_is_refused(tmp_path: Path) -> None:
    for number in range(60):
        write(tmp_path / f"{number}.yaml", {"extends": f"{number + 1}.yaml"})
    write(tmp_path / "60.yaml", ALONE)
    assert "more than 50 files, one extending the other" in refusal(tmp_path / "0.yaml")


def test_a_module_has_no_file(tmp_path: Path) -> None:
    write(tmp_path / "base.yaml", {"alphas": ["0.50"]})
    config = {**ALONE, "extends": "base.yaml"}
    config["methods"] = {"regft": {"kind": "finetune", "learning_rate": "3e-5", "epochs": 2}}
    layers = module_configuration(config, workflow_folder=tmp_path)
    assert layers.values["alphas"] == ["0.50"]
    assert layers.values["methods"]["regft"] == {"kind": "finetune", "learning_rate": 3e-5, "epochs": 2}
    assert config["extends"] == "base.yaml"
    with pytest.raises(InputError, match=r"^config: extends: there is no file 'none' in "):
        module_configuration({"extends": "none"}, workflow_folder=tmp_path)
    with pytest.raises(InputError, match="methods: bytes is no value of a configuration"):
        module_configuration({"methods": b""}, workflow_folder=tmp_path)


def test_a_name_is_required_and_not_a_folder_that_all_share() -> None:
    for name in ("shared", "logs", "benchmarks"):
        with pytest.raises(InputError, match=f"^name: '{name}' is reserved"):
            validated_configuration({**digits_with(), "name": name})
    without = {key: value for key, value in digits_with().items() if key != "name"}
    with pytest.raises(InputError, match=r"^name: missing$"):
        validated_configuration(without)
