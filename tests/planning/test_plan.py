"""What runs need: images, heads, and runs before them."""

from typing import Any

import pytest

from tests.workflow.harness import digits_with
from workflow_scripts.common.errors import InputError
from workflow_scripts.planning.layout import Run
from workflow_scripts.planning.locations import Locations
from workflow_scripts.planning.plan import Plan
from workflow_scripts.training.finetune.settings import Finetune
from workflow_scripts.training.method_settings import OtherRuns


def plan_of(*names: str, heads: dict[str, Any] | None = None, **methods: dict[str, Any]) -> Plan:
    whole = {name: {"kind": "finetune", **values} for name, values in methods.items()}
    block = {"datasets": ["digits"], "sources": ["digits-diffusion"], "clips": ["digits-clip"], "seeds": [1, 0]}
    changes: dict[str, Any] = {"methods": whole, "runs": [{**block, "methods": [*names]}]}
    if heads is not None:
        changes["datasets"] = {"digits": {"prompts": {"heads": heads}}}
    return Plan(digits_with(changes))


def run_of(plan: Plan, method: str, seed: int = 0) -> Run:
    return next(run for run in plan.runs if (run.method, run.seed) == (method, seed))


def images(plan: Plan, method: str) -> list[tuple[str, str]]:
    return [(source, domain) for _, source, domain in plan.train_images(run_of(plan, method))]


def test_mixed_images_are_generated_and_real_ones_of_every_domain() -> None:
    plan = plan_of("m", "n", m={"train_on": "mixed"}, n={"train_on": "mixed", "domains": ["negative"]})
    sources = ("digits-diffusion", "real-train")
    assert images(plan, "m") == [(source, domain) for source in sources for domain in ("photo", "negative")]
    assert images(plan, "n") == [(source, "negative") for source in sources]
    assert plan.generators == (("digits", "digits-diffusion"),)
    assert plan.evaluation_domains(run_of(plan, "m")) == ("photo", "negative", "held-out")


def test_a_left_out_domain_is_left_out_of_both_and_alone_scored() -> None:
    plan = plan_of("m", m={"train_on": "mixed", "leave_one_domain_out": True})
    assert images(plan, "m.without-photo") == [("digits-diffusion", "negative"), ("real-train", "negative")]
    # The other real domain shows pictures that it was trained on.
    assert plan.evaluation_domains(run_of(plan, "m.without-photo")) == ("photo", "held-out")


def test_a_block_names_heads_to_measure_zero_shot_with() -> None:
    heads = {"short": {"kind": "single", "template": "{}"}, "unused": {"kind": "openai-80"}}
    block = {"datasets": ["digits"], "clips": ["digits-clip"]}

    def plan(*methods: str, **further: Any) -> Plan:
        runs = [{**block, "methods": list(methods), **further}]
        return Plan(digits_with({"datasets": {"digits": {"prompts": {"heads": heads}}}, "runs": runs}))

    def names(planned: Plan) -> list[str]:
        (comparison,) = planned.comparisons
        return [run.method for run in planned.runs_of(comparison)]

    assert names(plan("zero-shot.short")) == ["zero-shot", "zero-shot.short"]
    assert names(plan("zero-shot", "zero-shot.default")) == ["zero-shot"]
    beside = plan("zero-shot.short", "plain", sources=["digits-diffusion"])
    assert names(beside) == ["zero-shot", "zero-shot.short", "plain"]
    assert beside.references(beside.comparisons[0]) == {"plain": "zero-shot"}
    line = r"runs\.0\.methods: zero-shot on digits: 'shorter' is not defined \(known: default, short, unused\)"
    with pytest.raises(InputError, match=line):
        plan("zero-shot.shorter")


def test_zero_shot_runs_are_those_of_the_first_head_and_of_heads_that_methods_name() -> None:
    heads = {"short": {"kind": "single", "template": "{}"}, "unused": {"kind": "openai-80"}}
    plan = plan_of("m", "n", heads=heads, m={"head": "short"}, n={})
    assert [run.method for run in plan.zero_shot_runs] == ["zero-shot", "zero-shot.short"]
    assert plan.references(plan.comparisons[0]) == {"m": "zero-shot.short", "n": "zero-shot"}
    inputs = Locations(plan).training_inputs(run_of(plan, "m"))
    folder = "results/digits/runs/digits/none/digits-clip/zero-shot.short/seed0"
    assert inputs["zero_shot_head"] == [f"{folder}/head.safetensors"]
    assert [Locations(plan).head_prompts(run) for run in plan.zero_shot_runs] == [
        f"results/digits/prompts/digits/{head}.parquet" for head in ("default", "short")
    ]


@pytest.mark.parametrize(("seeds", "expected"), [("all", [0, 1]), ("same", [1])])
def test_other_runs_are_those_of_the_same_images(
    seeds: Any, expected: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def other_runs(method: Finetune) -> OtherRuns | None:
        return OtherRuns("plain", seeds) if method.epochs == 77 else None

    monkeypatch.setattr(Finetune, "other_runs", other_runs)
    plan = plan_of("plain", "real", "m", m={"epochs": 77}, real={"train_on": "real"})
    others = plan.other_runs(run_of(plan, "m", 1))
    assert [(run.method, run.source, run.seed) for run in others] == [
        ("plain", "digits-diffusion", seed) for seed in expected
    ]
    files = Locations(plan).training_inputs(run_of(plan, "m", 1))["other_runs"]
    assert files == [f"{run.folder}/{name}" for run in others for name in ("encoder.safetensors", "head.safetensors")]
