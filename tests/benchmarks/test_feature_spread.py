"""The spread of features that the twelve settings are compared by."""

import pytest
import torch

from benchmarks.feature_spread import run_rows, spread, tuned_runs
from tests.workflow.harness import digits_with
from workflow_scripts.common.encoders import RunEncoder
from workflow_scripts.common.preprocessing import Preprocessing
from workflow_scripts.planning.plan import Plan


def test_the_spread_is_the_mean_deviation_of_a_dimension() -> None:
    features = torch.tensor([[3.0, 0.0], [0.0, 4.0], [3.0, 0.0], [0.0, 4.0]])
    plain, normalized = spread(features)
    assert plain == pytest.approx((3.0**0.5 + 4.0 / 3.0**0.5) / 2)
    assert normalized == pytest.approx(1.0 / 3.0**0.5)


def test_both_endpoints_are_measured() -> None:
    module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 4, bias=False))
    weights = {"1.weight": torch.rand(4, 12)}
    preprocessing = Preprocessing(size=2, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
    doubled = {name: 2 * tensor for name, tensor in weights.items()}
    encoder = RunEncoder(module=module, preprocessing=preprocessing, pretrained=weights, finetuned=doubled)
    real, drawn = torch.randint(0, 256, (2, 20, 2, 2, 3), dtype=torch.uint8)
    (_, before), (_, after) = run_rows(encoder, real, drawn)
    assert after == pytest.approx([2 * before[0], before[1], 2 * before[2], before[3]], rel=1e-4)
    assert before[0] == pytest.approx(
        float((real.permute(0, 3, 1, 2).flatten(1) / 255 @ weights["1.weight"].T).std(dim=0).mean()), rel=1e-4
    )


def test_runs_with_an_encoder_at_both_ends_are_measured() -> None:
    methods = {"probe": {"kind": "finetune", "freeze_encoder": True}, "coop": {"kind": "ogen", "variant": "none"}}
    block = {"datasets": ["digits"], "sources": ["digits-diffusion"], "clips": ["digits-clip"]}
    plan = Plan(digits_with({"methods": methods, "runs": [{**block, "methods": [*methods, "plain"]}]}))
    assert [run.method for run in tuned_runs(plan)] == ["probe", "plain"]
