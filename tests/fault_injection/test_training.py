"""Trainings that are terminated or go astray."""

from pathlib import Path

from tests.fault_injection.injection import entry, finetune_arguments, terminate, wait_for

WEIGHTS = ("encoder.safetensors", "head.safetensors", "train.jsonl")


def test_a_terminated_training_resumes_and_ends_with_the_same_weights(undisturbed: Path, tmp_path: Path) -> None:
    whole, part = tmp_path / "whole", tmp_path / "part"
    arguments = {"epochs": 40, "averaging": {"kind": "ema", "decay": 0.9}}
    reference = entry("training.finetune", *finetune_arguments(whole, **arguments), cwd=undisturbed)
    output, _ = reference.communicate(timeout=300)
    assert reference.returncode == 0, output
    part.mkdir()
    victim = entry("training.finetune", *finetune_arguments(part, **arguments), cwd=undisturbed)
    wait_for(part, "checkpoint-*.pt", seconds=120)
    code, output = terminate(victim)
    assert code == 143, output
    assert [path.name for path in part.iterdir() if not path.name.startswith("checkpoint-")] == []
    again = entry("training.finetune", *finetune_arguments(part, **arguments), cwd=undisturbed)
    output, _ = again.communicate(timeout=300)
    assert again.returncode == 0, output
    assert "training starts at validation interval 0 of 40" not in output
    assert "training starts at validation interval " in output
    for name in WEIGHTS:
        assert (part / name).read_bytes() == (whole / name).read_bytes(), name


def test_a_training_that_goes_astray_stops_by_name(undisturbed: Path, tmp_path: Path) -> None:
    arguments = finetune_arguments(tmp_path, learning_rate=1e30, gradient_clip=1e30, warmup_fraction=0.0)
    process = entry("training.finetune", *arguments, cwd=undisturbed)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "ERROR" in output
    assert "the loss is nan at step 1 with learning rate " in output
    assert "there is no checkpoint yet" in output
    assert "Traceback" not in output
    assert list(tmp_path.iterdir()) == []
