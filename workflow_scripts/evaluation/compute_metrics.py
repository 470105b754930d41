"""Make the metric table of one run from its scores on every domain."""

import argparse
import logging
from pathlib import Path

from workflow_scripts.common.constants import MEAN
from workflow_scripts.common.entry_point import entry_parser, in_order, run
from workflow_scripts.common.files import replacing
from workflow_scripts.evaluation.metric_table import metric_table
from workflow_scripts.evaluation.settings import MetricsJob

logger = logging.getLogger(__name__)


def job(options: argparse.Namespace) -> None:
    """Read each domain's scores and write the table."""
    settings = MetricsJob.parse(options.settings)
    table = metric_table(dict(in_order(settings.domains, options.scores, option="scores")), settings)
    with replacing(options.output) as temporary:
        table.to_csv(temporary, index=False, float_format="%.6f", lineterminator="\n")
    best = table[(table.metric == "top1") & (table.domain == MEAN)]
    for row in best.itertuples():
        logger.info("alpha %s: mean top-1 %.4f [%.4f, %.4f]", row.alpha, row.value, row.low, row.high)


def main() -> None:
    """Run from the command line."""
    parser = entry_parser(__doc__)
    parser.add_argument("--scores", type=Path, nargs="+", required=True, help="score tables, one per domain")
    parser.add_argument("--output", type=Path, required=True, help="metric table to write")
    run(job, parser)


if __name__ == "__main__":
    main()
