"""Registries are looked at before any job."""

from types import SimpleNamespace

import pytest

from workflow_scripts.planning import parts
from workflow_scripts.planning.parts import modules_of, part_errors


def test_every_part_here_is_whole() -> None:
    part_errors.cache_clear()
    assert part_errors() == []
    assert modules_of("report.figures")[:2] == ["report.figures.images", "report.figures.drawn"]
    assert modules_of("real_images.kinds", "digits") == ["real_images.kinds.digits"]


def test_every_error_has_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    changed = {
        "report.figures": (("alphas", "trainingspread", "alphas"), "FIGURE"),
        "evaluation.metrics": (("registry",), "METRIC"),
    }
    monkeypatch.setattr(parts, "PARTS", changed)
    monkeypatch.setattr(parts, "DRAWERS", {"mine": "wieghts"})
    monkeypatch.setattr(
        parts,
        "PICKERS",
        {
            name: SimpleNamespace(looks_at=looks_at, model_fields={})
            for name, looks_at in {"mine": ("held-out", "labels"), "text": "held-out", "right": ("held-out",)}.items()
        },
    )
    part_errors.cache_clear()
    assert part_errors() == [
        "report/figures/registry.py: 'alphas' stands there twice",
        "report/figures/registry.py: 'trainingspread' has no module report/figures/trainingspread.py",
        "evaluation/metrics/registry.py: has no METRIC",
        "generation/drawers/registry.py: 'wieghts' of 'mine' must be 'text-to-image' or 'weights'",
        *(
            f"selection/pickers/{name}.py: looks_at must be a ClassVar, a tuple of held-out, test-images, test-labels"
            for name in ("mine", "text")
        ),
    ]
    part_errors.cache_clear()
