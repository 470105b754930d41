"""Devices: a training's backward pass repeats its bits, or says which operation does not."""

import ast
from pathlib import Path
from typing import Any

import pytest
import torch

import workflow_scripts
from workflow_scripts.common.devices import claimed_device, repeatable_backward
from workflow_scripts.common.errors import InputError

WARN, ERROR = 1, 2
"""Torch's modes: kernels that do not repeat their results are warned of, or refused."""


class Watched(torch.autograd.Function):
    """The identity; notes torch's mode in its backward pass and does there what it is told to do."""

    modes: list[int]
    then: Any

    @staticmethod
    def forward(_: Any, values: torch.Tensor) -> torch.Tensor:
        return values.clone()

    @staticmethod
    def backward(_: Any, *gradients: torch.Tensor) -> torch.Tensor:
        Watched.modes.append(torch.get_deterministic_debug_mode())
        Watched.then(gradients[0])
        return gradients[0]


@pytest.fixture(autouse=True)
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    before = torch.get_deterministic_debug_mode()
    monkeypatch.setattr(Watched, "modes", [], raising=False)
    monkeypatch.setattr(Watched, "then", lambda _: None, raising=False)
    with claimed_device(threads=torch.get_num_threads(), locks=tmp_path):
        yield
    torch.set_deterministic_debug_mode(before)


def loss(values: torch.Tensor) -> torch.Tensor:
    result: torch.Tensor = Watched.apply(values).square().sum()
    return result


def test_a_backward_pass_refuses_what_does_not_repeat_itself() -> None:
    assert torch.get_deterministic_debug_mode() == WARN
    values = torch.ones(2, requires_grad=True)
    repeatable_backward(loss(values))
    assert Watched.modes == [ERROR]
    assert torch.get_deterministic_debug_mode() == WARN
    assert values.grad is not None
    assert values.grad.tolist() == [2.0, 2.0]


def test_where_no_bits_are_promised_nothing_is_refused() -> None:
    torch.use_deterministic_algorithms(False)
    repeatable_backward(loss(torch.ones(2, requires_grad=True)))
    assert Watched.modes == [0]


def test_an_operation_that_does_not_repeat_itself_is_named() -> None:
    # One that torch refuses on a CPU too.
    Watched.then = lambda gradient: torch.zeros(2).put_(torch.tensor([0, 0]), gradient)
    with pytest.raises(InputError, match=r"^put_ on a GPU does not repeat its results: train this network on the CPU"):
        repeatable_backward(loss(torch.ones(2, requires_grad=True)))
    assert torch.get_deterministic_debug_mode() == WARN


def test_other_errors_of_a_backward_pass_stay_what_they_are() -> None:
    def fail(_: torch.Tensor) -> None:
        raise RuntimeError("out of memory")

    Watched.then = fail
    with pytest.raises(RuntimeError, match="out of memory"):
        repeatable_backward(loss(torch.ones(2, requires_grad=True)))
    assert torch.get_deterministic_debug_mode() == WARN


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU")
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_attention_on_a_gpu_repeats_its_bits(dtype: torch.dtype) -> None:
    # The sizes of CLIP ViT-B/16, at which torch splits what it adds up.
    made = torch.randn(3, 64, 12, 197, 64, generator=torch.Generator().manual_seed(0)).to("cuda", dtype)
    gradients = []
    for _ in range(5):
        inputs = made.clone().requires_grad_(True)
        repeatable_backward(torch.nn.functional.scaled_dot_product_attention(*inputs).float().square().sum())
        gradients.append(inputs.grad)
    assert all(torch.equal(gradients[0], other) for other in gradients[1:])  # type: ignore[arg-type]


def test_no_backward_pass_is_run_otherwise() -> None:
    root = Path(workflow_scripts.__path__[0])
    calls = [
        str(path.relative_to(root))
        for path in root.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "backward"
    ]
    assert calls == ["common/devices.py"]
