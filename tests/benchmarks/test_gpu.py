"""The benchmark of a GPU: its rows, its figures, and what it does where there is no GPU."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks import gpu
from benchmarks.gpu import BF16, FP32, PARTS, TINY, Part, Row, Switches, Timing, make_row, planned, switched, table

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def cpu(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    mode, threads = torch.get_deterministic_debug_mode(), torch.get_num_threads()
    # Networks as small as these are slower on several.
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
    torch.set_deterministic_debug_mode(mode)


def row(switches: Switches, timing: Timing, **changes: Any) -> Row:
    known: dict[str, Any] = {"flops": 3e9, "peak": 6e12, "base": 400.0, "memory": 2_500_000_000}
    return make_row("training", switches, timing, **{**known, **changes})


def test_the_figures_of_a_row() -> None:
    # The median call is 0.1 s for 100 images: 1000 images, 3 x 10^12 operations a second.
    timing = Timing(images=100, first=7.0, later=[0.1, 0.9, 0.05])
    assert row(BF16, timing) == Row(
        part="training",
        switches="bf16",
        images_per_second=1000.0,
        ratio=2.5,
        teraflops=3.0,
        share_of_peak=0.5,
        first_call_seconds=7.0,
        gigabytes=2.5,
    )


def test_a_row_is_named_by_its_switches() -> None:
    assert [
        switches.name
        for switches in (
            FP32,
            Switches(tf32="none"),
            Switches(tf32="all", channels_last=True),
            replace(BF16, compiled="full", deterministic=False),
            replace(BF16, filled=False, network_alone=True),
        )
    ] == [
        "fp32",
        "fp32 without tf32",
        "tf32, channels-last",
        "bf16, compiled full, any kernels",
        "bf16, memory not filled, network alone",
    ]
    for part in PARTS.values():
        assert len({switches.name for switches in part.rows}) == len(part.rows)
        assert part.rows[0] == FP32


def test_what_takes_longest_is_measured_last() -> None:
    rows = planned(list(PARTS))
    assert len(rows) == sum(len(part.rows) for part in PARTS.values())
    compiled = [switches.compiled for _, switches in rows]
    assert compiled == sorted(compiled, key=["none", "blocks", "full"].index)
    assert rows[0] == ("generation", FP32)


def test_the_table() -> None:
    timing = Timing(images=100, first=7.0, later=[0.1])
    rows = [row(FP32, timing), replace(row(BF16, timing), part="generation")]
    assert table(rows).splitlines() == [
        "| part       | switches | images/s | ratio | TFLOP/s | of peak | first call |  GB |",
        "|------------|----------|----------|-------|---------|---------|------------|-----|",
        "| generation | bf16     |  1000.00 |  2.50 |     3.0 |     50% |      7.0 s | 2.5 |",
        "| training   | fp32     |  1000.00 |  2.50 |     3.0 |     50% |      7.0 s | 2.5 |",
    ]


def state() -> tuple[Any, ...]:
    return (
        torch.get_float32_matmul_precision(),
        torch.backends.cudnn.allow_tf32,
        torch.backends.cudnn.benchmark,
        torch.get_deterministic_debug_mode(),
        torch.utils.deterministic.fill_uninitialized_memory,  # type: ignore[attr-defined]
    )


def test_switches_are_set_and_set_back() -> None:
    torch.use_deterministic_algorithms(True, warn_only=True)
    before = state()
    assert before == ("highest", True, False, 1, True)
    with switched(FP32):
        assert state() == before
    with switched(Switches(tf32="all", deterministic=False, filled=False)):
        assert state() == ("high", True, True, 0, False)
    with switched(Switches(tf32="none")):
        assert state() == ("highest", False, False, 1, True)
    assert state() == before


def test_operations_are_counted() -> None:
    # Two layers of width 32 over 4 patches and a class token, on patches of 16 x 16 x 3; multiply and add are two.
    tokens, width = 5, 32
    linear = 2 * tokens * width * (3 * width + width + 8 * width)
    attention = 2 * 2 * tokens * tokens * width
    patches = 2 * 4 * width * 16 * 16 * 3
    head = 2 * width * 16 + 2 * 16 * TINY.classes
    forward = patches + 2 * (linear + attention) + head
    counted = gpu.scoring_flops(TINY, CPU)
    assert counted in (forward, forward - 2 * attention)
    # Backwards twice as much, but for the gradient of the pictures, which is not needed.
    backward = gpu.training_flops(TINY, CPU) - counted
    assert backward == pytest.approx(2 * forward - patches, rel=0.05)
    steps = [gpu.generation_flops(replace(TINY, steps=steps), CPU) for steps in (1, 2, 11)]
    assert steps[2] - steps[0] == 10 * (steps[1] - steps[0]) > 0
    assert steps[0] > gpu.decoding_flops(TINY, CPU) > 0


def test_every_row_is_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "bench/gpu.json"
    gpu.main(["--size", "tiny", "--output", str(output)])
    written = json.loads(output.read_text())
    assert written["left_out"] == {}
    assert written["environment"]["device"] == "cpu"
    assert set(written["peaks"]) == {"fp32", "tf32", "fp16", "bf16"}
    rows = [Row(**values) for values in written["rows"]]
    assert [(row.part, row.switches) for row in rows] == [
        (part, switches.name) for part, switches in planned(list(PARTS))
    ]
    for part in PARTS:
        own = [row for row in rows if row.part == part]
        assert own[0].ratio == 1.0
        for row in own:
            assert row.images_per_second > 0
            assert row.ratio == pytest.approx(row.images_per_second / own[0].images_per_second)
    assert capsys.readouterr().out == f"cpu\n{table(rows)}\n"


def test_a_row_that_cannot_be_measured_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def timing(size: gpu.Size, switches: Switches, device: torch.device) -> Timing:
        if switches.precision == "bf16":
            raise RuntimeError("out of\nmemory")
        return Timing(images=2, first=1.0, later=[0.5])

    monkeypatch.setitem(PARTS, "scoring", Part(rows=(FP32, BF16), time=timing, flops=lambda *_: 1e9))
    gpu.main(["--size", "tiny", "--only", "scoring", "--output", str(tmp_path / "gpu.json")])
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "left out: scoring: bf16 (out of memory)"
    assert [line.split(" | ")[2].strip() for line in lines[3:-1]] == ["4.00"]
    gpu.main(["--size", "tiny", "--only", "scoring", "--seconds", "0", "--output", str(tmp_path / "gpu.json")])
    assert json.loads((tmp_path / "gpu.json").read_text())["left_out"] == {
        "scoring: fp32": "out of time",
        "scoring: bf16": "out of time",
    }


def test_without_a_gpu_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="no CUDA GPU here: nothing to measure"):
        gpu.main(["--output", str(tmp_path / "gpu.json")])
    assert list(tmp_path.iterdir()) == []
