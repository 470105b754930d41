"""Tables of base and new classes, and of left-out domains."""

from typing import Any

import pandas as pd
import pytest

from tests.report.inputs import selection, selections_of
from workflow_scripts.report.protocols import base_new_table, left_out_table
from workflow_scripts.report.roles import with_roles
from workflow_scripts.report.tables import over_seeds


def row(method: str, domain: str, value: float, **changes: Any) -> dict[str, Any]:
    trained = {"zero-shot": "none", "plain": "all"}.get(method, "base")
    return {
        "method": method,
        "seed": 0,
        "alpha": "0.00" if method == "zero-shot" else "0.50",
        "domain": domain,
        "label_set": "all",
        "train_classes": trained,
        "metric": "top1",
        "value": value,
        "low": value - 0.1,
        "high": value + 0.1,
        **changes,
    }


def means(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Return means by role: every run has a single alpha."""
    table = pd.DataFrame(rows).assign(dataset="toys", source="gen", clip="clip")
    return over_seeds(with_roles(table, selections_of(table)), by="role")


def halves(method: str, base: float, new: float, harmonic: float) -> list[dict[str, Any]]:
    values = {"all": 0.5, "base": base, "new": new, "harmonic": harmonic}
    return [row(method, "photo", value, label_set=label_set) for label_set, value in values.items()]


def test_base_new_and_harmonic_mean_stand_side_by_side() -> None:
    rows = [*halves("zero-shot", 0.6, 0.7, 0.65), *halves("plain", 0.9, 0.5, 0.64), *halves("ogen", 0.8, 0.6, 0.7)]
    rows += halves("regft-base", 0.7, 0.65, 0.67)
    table = base_new_table(means(rows), domains=["photo"])
    assert table is not None
    assert table.domains == ("base classes", "new classes", "harmonic mean of base and new")
    cells = {each.method: [cell.value for cell in each.cells if cell] for each in table.rows}
    assert cells == {
        "zero-shot": [0.6, 0.7, 0.65],
        "plain": [0.9, 0.5, 0.64],
        "ogen": [0.8, 0.6, 0.7],
        "regft-base": [0.7, 0.65, 0.67],
    }
    best = {each.method: [cell.best for cell in each.cells if cell] for each in table.rows}
    # Compared only among equal train_classes: zero-shot with plain, ogen with regft-base.
    assert best == {
        "zero-shot": [False, True, True],
        "plain": [True, False, False],
        "ogen": [True, False, True],
        "regft-base": [False, True, False],
    }


def test_without_a_split_or_real_images_there_is_no_such_table() -> None:
    rows = [row("zero-shot", "photo", 0.5)]
    assert base_new_table(means(rows), domains=["photo"]) is None
    held_out = [{**each, "domain": "held-out"} for each in halves("ogen", 0.8, 0.6, 0.7)]
    assert base_new_table(means(held_out), domains=["held-out"]) is None


def test_left_out_targets_and_their_mean() -> None:
    rows = [row("zero-shot", "photo", 0.5), row("zero-shot", "sketch", 0.3)]
    for target, other, value in (("photo", "sketch", 0.7), ("sketch", "photo", 0.4)):
        rows += [row(f"sd.without-{target}", target, value), row(f"sd.without-{target}", other, 0.99)]
    table = left_out_table(means(rows))
    assert table is not None
    assert table.domains == ("without photo, on real: photo", "without sketch, on real: sketch", "mean over targets")
    cells = {each.method: [cell.value for cell in each.cells if cell] for each in table.rows}
    assert cells["zero-shot"] == [0.5, 0.3, 0.4]
    assert cells["sd"] == [0.7, 0.4, (0.7 + 0.4) / 2]
    assert [cell.low is None for cell in table.rows[1].cells if cell] == [False, False, True]


def test_each_left_out_training_has_its_own_pick() -> None:
    rows = [
        row(f"sd.without-{target}", target, value, alpha=alpha)
        for target, values in (("photo", (0.7, 0.1)), ("sketch", (0.2, 0.4)))
        for alpha, value in zip(("0.50", "1.00"), values, strict=True)
    ]
    table = pd.DataFrame(rows).assign(dataset="toys", source="gen", clip="clip")
    picks = {"photo": "0.50", "sketch": "1.00"}
    selections = [
        selection(method=f"sd.without-{target}", alphas=["0.50", "1.00"], fixed="0.50", held=pick, oracle=pick)
        for target, pick in picks.items()
    ]
    left_out = left_out_table(over_seeds(with_roles(table, selections), by="role"))
    assert left_out is not None
    shown = {each.role.why: (each.alpha, [cell.value for cell in each.cells if cell]) for each in left_out.rows}
    assert shown == {
        "fixed beforehand": ("0.50", [0.7, 0.2, pytest.approx(0.45)]),
        "by held": ("0.50, 1.00", [0.7, 0.4, pytest.approx(0.55)]),
        "fine-tuned endpoint": ("1.00", [0.1, 0.4, 0.25]),
    }


def test_a_missing_target_leaves_no_mean() -> None:
    rows = [row("sd.without-photo", "photo", 0.7), row("sd.without-sketch", "photo", 0.9)]
    table = left_out_table(means(rows))
    assert table is not None
    assert [cell is None for cell in table.rows[0].cells] == [False, True, True]
    assert left_out_table(means([row("plain", "photo", 0.7)])) is None


def test_another_method_whose_name_begins_alike_says_nothing_of_its_classes() -> None:
    rows = [row("sd-base", "photo", 0.5), row("sd.without-photo", "photo", 0.7, train_classes="all")]
    table = left_out_table(means(rows))
    assert table is not None
    assert [(each.method, each.train_classes) for each in table.rows] == [("sd", "all")]
