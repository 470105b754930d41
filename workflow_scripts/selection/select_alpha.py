"""Let every picker choose the alpha of one run, and write what each looked at."""

import argparse
import logging
import math
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from workflow_scripts.common.entry_point import entry_parser, in_order, run
from workflow_scripts.common.errors import InputError
from workflow_scripts.common.files import canonical_json, write_json
from workflow_scripts.common.parts import kinds_of
from workflow_scripts.common.selection_file import Choice, Selection
from workflow_scripts.evaluation.metric_files import read_metrics
from workflow_scripts.selection.inputs import visible_to
from workflow_scripts.selection.picker import Pick, Picker
from workflow_scripts.selection.settings import NamedPicker, SelectionJob

logger = logging.getLogger(__name__)


def job(options: argparse.Namespace) -> None:
    """Read what was measured, and write the selection."""
    settings = SelectionJob.parse(options.settings)
    metrics = read_metrics(options.metrics)
    scores = dict(in_order(settings.domains, options.scores, option="scores"))
    choices = tuple(choice_of(named, settings.alphas, metrics, scores) for named in settings.pickers)
    selection = Selection(
        dataset=settings.dataset,
        source=settings.source,
        clip=settings.clip,
        method=settings.method,
        seed=settings.run_seed,
        alphas=settings.alphas,
        choices=choices,
    )
    write_json(options.output, selection.model_dump(mode="json"))
    for choice in choices:
        logger.info("%s: alpha %s, from %s", choice.picker, choice.alpha, ", ".join(choice.looked_at) or "nothing")


def choice_of(named: NamedPicker, alphas: tuple[str, ...], metrics: pd.DataFrame, scores: Mapping[str, Path]) -> Choice:
    """Return what a picker chooses; where there is a single alpha, this one, without a look at anything.

    Args:
        named: the picker.
        alphas: alphas of the run.
        metrics: the run's metric table.
        scores: from each evaluation domain to its score table.

    Raises:
        InputError: there is no such picker, or what it chooses or says does not fit.
    """
    where = f"selection.pickers.{named.module}"
    kind = kinds_of([named.module], module="selection.pickers.{}", base=Picker)[named.module]  # type: ignore[type-abstract]
    picker = kind.parse(canonical_json(named.settings))
    looked = len(alphas) > 1
    pick = Pick(alphas[0])
    if looked:
        pick = picker.pick(visible_to(picker.looks_at, alphas=alphas, metrics=metrics, scores=scores))
    _verify(pick, alphas, criterion=picker.criterion, where=where)
    content = {
        "picker": named.name,
        "title": picker.title(),
        "explanation": picker.explanation(),
        "looked_at": list(picker.looks_at) if looked and pick.alpha is not None else [],
        "criterion": picker.criterion if pick.values else None,
        "values": dict(pick.values),
        "alpha": pick.alpha,
    }
    try:
        return Choice.parse(canonical_json(content))
    except InputError as error:
        raise InputError(f"{where}: {error}") from None


def _verify(pick: Pick, alphas: tuple[str, ...], *, criterion: str | None, where: str) -> None:
    unknown = [alpha for alpha in (pick.alpha, *pick.values) if alpha is not None and alpha not in alphas]
    if unknown:
        raise InputError(f"{where}: {unknown[0]!r} is not one of the run's alphas, {', '.join(alphas)}")
    if pick.values and criterion is None:
        raise InputError(f"{where}: it compares values, and its criterion does not say what they are")
    for alpha, value in pick.values.items():
        if not math.isfinite(value):
            raise InputError(f"{where}: its criterion at alpha {alpha} is {value}, not a finite number")


def main() -> None:
    """Run from the command line."""
    parser = entry_parser(__doc__)
    parser.add_argument("--metrics", type=Path, nargs="*", default=[], help="the run's metric table, if it has one")
    parser.add_argument("--scores", type=Path, nargs="*", default=[], help="score tables, one per domain")
    parser.add_argument("--output", type=Path, required=True, help="selection to write")
    run(job, parser)


if __name__ == "__main__":
    main()
