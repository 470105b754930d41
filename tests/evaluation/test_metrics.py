"""Metrics by hand, intervals by construction."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from workflow_scripts.common.constants import METRIC_COLUMNS
from workflow_scripts.common.errors import InputError
from workflow_scripts.evaluation.bootstrap import Estimate, harmonic_mean, resample_weights, values_of
from workflow_scripts.evaluation.metric import metrics
from workflow_scripts.evaluation.metric_table import metric_table
from workflow_scripts.evaluation.metrics.ece import calibration_error
from workflow_scripts.evaluation.metrics.mean_per_class import mean_per_class
from workflow_scripts.evaluation.outcomes import Outcomes, outcomes
from workflow_scripts.evaluation.score_table import SCORE_COLUMNS, summarize
from workflow_scripts.evaluation.settings import MetricsJob

Measure = Callable[..., pd.DataFrame]


def scores(
    logits: torch.Tensor, labels: list[int], alpha: str = "0.50", prefix: str = "", label_set: str = "all"
) -> pa.Table:
    count = len(labels)
    columns = {
        **{name: list(values) for name, values in summarize(logits, torch.tensor(labels)).items()},
        "alpha": [alpha] * count,
        "label_set": [label_set] * count,
        "classes": [logits.shape[1]] * count,
        "image_id": [f"{prefix}{k:04d}" for k in range(count)],
        "label": labels,
        "logits": [None] * count,
    }
    return pa.table(columns, schema=SCORE_COLUMNS)


def outcome_of(table: pa.Table) -> Outcomes:
    return outcomes(table, table["image_id"].combine_chunks())


@pytest.fixture
def measure(tmp_path: Path) -> Measure:
    def measured(tables: dict[str, pa.Table], **changes) -> pd.DataFrame:
        for domain, table in tables.items():
            pq.write_table(table, tmp_path / domain)
        return metric_table({domain: tmp_path / domain for domain in tables}, job(**changes))

    return measured


def job(**changes) -> MetricsJob:
    values = {
        "dataset": "d",
        "source": "s",
        "clip": "c",
        "method": "m",
        "run_seed": 0,
        "train_classes": "all",
        "domains": ("photo",),
        "resamples": 200,
        **changes,
    }
    return MetricsJob(**values)


def value(table: pd.DataFrame, metric: str, domain: str = "mean") -> float:
    rows = table[(table.metric == metric) & (table.domain == domain)]
    assert len(rows) == 1
    return float(rows.value.iloc[0])


def test_every_metric_says_how_it_is_to_be_read():
    said = {name: (each.percent, each.higher_is_better, each.has_harmonic_mean) for name, each in metrics().items()}
    expected = {
        "top1": (True, True, True),
        "top5": (True, True, False),
        "mean_per_class": (True, True, True),
        "nll": (False, False, False),
        "brier": (False, False, False),
        "ece": (True, False, False),
    }
    assert {name: said[name] for name in expected} == expected
    assert len({each.title for each in metrics().values()}) == len(said)


LOGITS = torch.log(torch.tensor([[0.7, 0.2, 0.1], [0.3, 0.6, 0.1], [0.5, 0.25, 0.25], [0.1, 0.1, 0.8]]))
LABELS = [0, 1, 1, 2]


def test_values_by_hand(measure: Measure):
    table = measure({"photo": scores(LOGITS, LABELS)}, bins=10)
    assert list(table.columns) == list(METRIC_COLUMNS)
    assert value(table, "top1") == 0.75
    assert value(table, "mean_per_class") == pytest.approx((1 + 0.5 + 1) / 3, abs=1e-6)
    assert value(table, "nll") == pytest.approx(-np.log([0.7, 0.6, 0.25, 0.8]).mean(), abs=1e-6)
    one_hot = np.eye(3)[LABELS]
    assert value(table, "brier") == pytest.approx(((LOGITS.exp().numpy() - one_hot) ** 2).sum(1).mean(), abs=1e-6)
    # Confidences 0.7, 0.6, 0.5, 0.8 fall into four bins with accuracies 1, 1, 0, 1.
    assert value(table, "ece") == pytest.approx((0.3 + 0.4 + 0.5 + 0.2) / 4, abs=1e-6)


def test_top5_needs_more_than_five_classes(measure: Measure):
    five = outcome_of(scores(torch.zeros(1, 5), [0]))
    assert "top5" not in values_of(five, np.ones((1, 1)), job())
    logits = torch.zeros(2, 7)
    logits[0, :5] = torch.tensor([5.0, 4.0, 3.0, 2.0, 1.0])
    logits[1, 2:] = torch.tensor([5.0, 4.0, 3.0, 2.0, 1.0])
    table = measure({"photo": scores(logits, [4, 0])})
    assert value(table, "top5") == 0.5
    assert value(table, "top1") == 0.0


@pytest.mark.parametrize("value", [np.array([np.nan]), np.zeros(2), 0.5, np.zeros((1, 1))])
def test_a_metric_is_a_finite_number_for_each_row(value, monkeypatch: pytest.MonkeyPatch):
    wrong = replace(metrics()["nll"], value=lambda *_: value)
    monkeypatch.setattr("workflow_scripts.evaluation.bootstrap.metrics", lambda: {"wrong": wrong})
    with pytest.raises(InputError, match=r"evaluation\.metrics\.wrong: must give a finite number for each row"):
        values_of(outcome_of(scores(LOGITS, LABELS)), np.ones((1, 4)), job())


def test_interval_of_a_mean_is_the_binomial_one(measure: Measure):
    hits = np.arange(1000) % 4 != 0
    logits = torch.zeros(1000, 2)
    logits[:, 0] = torch.where(torch.from_numpy(hits), 1.0, -1.0)
    table = measure({"photo": scores(logits, [0] * 1000)}, resamples=2000)
    row = table[(table.metric == "top1") & (table.domain == "photo")].iloc[0]
    half = 1.96 * np.sqrt(0.75 * 0.25 / 1000)
    assert row.value == 0.75
    assert row.low == pytest.approx(0.75 - half, abs=0.004)
    assert row.high == pytest.approx(0.75 + half, abs=0.004)


def test_domains_share_their_resamples(measure: Measure):
    # A domain and its mirror image: the mean never varies when both are resampled together.
    logits = torch.tensor([[1.0, -1.0], [-1.0, 1.0]]).repeat(50, 1)
    labels = [0] * 100
    mirrored = scores(-logits, labels)
    table = measure({"photo": scores(logits, labels), "negative": mirrored})
    row = table[(table.metric == "top1") & (table.domain == "mean")].iloc[0]
    assert (row.value, row.low, row.high) == (0.5, 0.5, 0.5)
    alone = table[(table.metric == "top1") & (table.domain == "photo")].iloc[0]
    assert alone.high - alone.low > 0.1


def test_held_out_images_do_not_enter_the_mean(measure: Measure):
    good = torch.tensor([[1.0, -1.0]]).repeat(10, 1)
    table = measure({"photo": scores(-good, [0] * 10), "held-out": scores(good, [0] * 10, prefix="g")})
    assert value(table, "top1", "held-out") == 1.0
    assert value(table, "top1", "mean") == 0.0


def test_alphas_are_told_apart(measure: Measure):
    tables = [scores(LOGITS, LABELS, alpha="0.00"), scores(-LOGITS, LABELS, alpha="1.00")]
    table = measure({"photo": pa.concat_tables(tables)})
    values = table[(table.metric == "top1") & (table.domain == "photo")].set_index("alpha").value
    assert values["0.00"] == 0.75
    assert values["1.00"] != 0.75


def test_the_harmonic_mean_is_of_base_and_new(measure: Measure):
    good = torch.tensor([[1.0, -1.0]]).repeat(4, 1)
    tables = [
        scores(LOGITS, LABELS),
        scores(good, [0] * 4, label_set="base"),
        scores(good, [0, 0, 0, 1], label_set="new"),
    ]
    table = measure({"photo": pa.concat_tables(tables)})
    values = table[(table.metric == "top1") & (table.domain == "photo")].set_index("label_set").value
    assert values.to_dict() == {"all": 0.75, "base": 1.0, "new": 0.75, "harmonic": pytest.approx(2 * 0.75 / 1.75)}


def test_an_image_counts_by_its_id_wherever_it_stands(measure: Measure):
    table = scores(LOGITS, LABELS)
    turned = table.take([3, 1, 0, 2])
    same = measure({"photo": table, "negative": turned})
    by_domain = {domain: rows[["value", "low", "high"]].to_numpy() for domain, rows in same.groupby("domain")}
    assert np.allclose(by_domain["photo"], by_domain["negative"])


def test_resamples_draw_as_many_images_and_repeat():
    first, again = (list(resample_weights(30_000, resamples=150, seed=1)) for _ in range(2))
    assert len(first) == 3
    assert sum(len(block) for block in first) == 150
    assert all((block.sum(axis=1) == 30_000).all() for block in first)
    assert [np.mean(block == 0) for block in first] == pytest.approx([1 / np.e] * 3, abs=0.002)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))


def test_a_resample_without_an_image_of_a_label_set_says_nothing(measure: Measure):
    good = torch.tensor([[1.0, -1.0]]).repeat(20, 1)
    few = torch.tensor([[1.0, -1.0], [-1.0, 1.0]])
    tables = [scores(good, [0] * 20, prefix="a"), scores(good, [0] * 20, prefix="a", label_set="base")]
    tables.append(scores(few, [0] * 2, prefix="b", label_set="new"))
    table = measure({"photo": pa.concat_tables(tables)}, resamples=500)
    assert table[["value", "low", "high"]].notna().all(axis=None)
    rows = table[(table.metric == "top1") & (table.domain == "photo")].set_index("label_set")
    assert tuple(rows.loc["new", ["value", "low", "high"]]) == (0.5, 0.0, 1.0)
    assert tuple(rows.loc["harmonic", ["value", "low", "high"]]) == (pytest.approx(2 / 3), 0.0, 1.0)
    outcome = outcome_of(scores(LOGITS, LABELS))
    values = values_of(outcome, np.array([[0.0] * 4, [1.0] * 4]), job())
    assert all(np.isnan(each[0]) and np.isfinite(each[1]) for each in values.values())
    one, none = Estimate(0.5, np.array([np.nan, 0.5])), Estimate(0.5, np.array([0.5, 0.5]))
    assert np.array_equal(harmonic_mean(one, none).resampled, [np.nan, 0.5], equal_nan=True)


def test_a_mean_is_of_what_every_domain_has(measure: Measure, monkeypatch: pytest.MonkeyPatch):
    some = replace(metrics()["nll"], applies=lambda outcome: len(outcome.label) > 3)
    monkeypatch.setattr("workflow_scripts.evaluation.bootstrap.metrics", lambda: {**metrics(), "nll": some})
    table = measure({"photo": scores(LOGITS, LABELS), "sketch": scores(LOGITS[:2], LABELS[:2], prefix="x")})
    domains = {metric: set(rows["domain"]) for metric, rows in table.groupby("metric")}
    assert (domains["nll"], domains["top1"]) == ({"photo"}, {"photo", "sketch", "mean"})


def test_a_class_absent_from_a_resample_does_not_count():
    outcome = outcome_of(scores(LOGITS, LABELS))
    only_first = np.array([[1.0, 0.0, 0.0, 0.0]])
    assert mean_per_class(outcome, only_first)[0] == 1.0


def test_full_confidence_has_its_bin():
    outcome = outcome_of(scores(torch.tensor([[100.0, 0.0]]), [0]))
    assert calibration_error(outcome, np.ones((1, 1)), bins=15)[0] == pytest.approx(0.0, abs=1e-6)
