"""Accuracy over alpha, one panel per domain."""

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from workflow_scripts.report.style import COLOURS, GREY, message_figure
from workflow_scripts.report.tables import (
    HELD_OUT,
    MEAN,
    ZERO_SHOT,
    choosing_domain,
    domains_of,
    oracle_alpha,
    over_seeds,
)

DOMAIN_TITLES = {MEAN: "mean of real domains", HELD_OUT: "generated, held out"}


def curve(means: pd.DataFrame, *, method: str, domain: str) -> pd.DataFrame:
    """Return a method's top-1 accuracy on a domain, sorted by alpha, with a numeric column `x`."""
    chosen = means[
        (means.method == method) & (means.domain == domain) & (means.metric == "top1") & (means.space == "all")
    ]
    return chosen.assign(x=chosen.alpha.astype(float)).sort_values("x")


def alpha_figure(metrics: pd.DataFrame, *, fixed_alpha: str) -> Figure:
    """Draw the alpha curves of all methods on every domain, with both ends, the fixed alpha and the oracle marked."""
    means = over_seeds(metrics)
    domains = domains_of(metrics)
    methods = [name for name in dict.fromkeys(means.method) if name != ZERO_SHOT]
    if not domains or not methods:
        return message_figure("There is no alpha curve: no method was trained, or there is no image to measure it on.")
    columns = min(3, len(domains))
    lines = math.ceil(len(domains) / columns)
    figure = Figure(figsize=(3.4 * columns, 2.9 * lines + 0.5))
    axes = figure.subplots(lines, columns, squeeze=False).ravel()
    for axis, domain in zip(axes, domains, strict=False):
        _panel(axis, means, methods, domain, domains=domains, fixed_alpha=fixed_alpha)
    for axis in axes[len(domains) :]:
        axis.set_visible(False)
    handles: dict[str, Any] = {}
    for axis in reversed(axes):
        handles |= dict(zip(*reversed(axis.get_legend_handles_labels()), strict=True))
    figure.tight_layout()
    figure.legend(list(handles.values()), list(handles), loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=3)
    return figure


def _panel(
    axis: Any, means: pd.DataFrame, methods: Sequence[str], domain: str, *, domains: Sequence[str], fixed_alpha: str
) -> None:
    for number, method in enumerate(methods):
        found = curve(means, method=method, domain=domain)
        if found.empty:
            continue
        colour = COLOURS[number % len(COLOURS)]
        axis.fill_between(found.x, 100 * found.low, 100 * found.high, color=colour, alpha=0.13, linewidth=0)
        axis.plot(found.x, 100 * found.value, color=colour, label=method, linestyle="--" if domain == HELD_OUT else "-")
        ends = found.iloc[[0, -1]]
        axis.plot(ends.x, 100 * ends.value, "o", color=colour, markersize=4, label=f"{method}: both ends")
        oracle = found[found.alpha == oracle_alpha(means, method=method, domain=choosing_domain(domains))]
        if domain != HELD_OUT:
            axis.plot(
                oracle.x,
                100 * oracle.value,
                "*",
                color=colour,
                markersize=9,
                label=f"{method}: oracle (chosen on test)",
            )
    zero_shot = curve(means, method=ZERO_SHOT, domain=domain)
    if not zero_shot.empty:
        axis.axhline(100 * zero_shot.value.iloc[0], color=GREY, linewidth=1, label="zero-shot")
    axis.axvline(
        float(fixed_alpha), color=GREY, linestyle=":", linewidth=1, label=f"alpha {fixed_alpha}, fixed beforehand"
    )
    axis.set_title(DOMAIN_TITLES.get(domain, domain), fontsize=9)
    axis.set_xlabel("alpha (0: pre-trained, 1: fine-tuned)", fontsize=8)
    axis.set_ylabel("top-1 accuracy, %", fontsize=8)
