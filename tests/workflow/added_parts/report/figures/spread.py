"""A figure: every run's top-1 accuracy on the real test images, at its last alpha."""

from matplotlib.figure import Figure

from workflow_scripts.report.figure import FigureInputs, FigureTexts, ReportFigure


def draw(inputs: FigureInputs) -> Figure | str:
    """Draw a bar per method."""
    rows = inputs.metrics[(inputs.metrics["metric"] == "top1") & (inputs.metrics["label_set"] == "all")]
    if rows.empty:
        return "There is no spread: nothing was measured."
    best = rows.groupby("method")["value"].max()
    figure = Figure(figsize=(5, 2))
    figure.subplots().bar(list(best.index), best.to_numpy())
    return figure


FIGURE = ReportFigure(
    texts=lambda inputs: FigureTexts(
        title="Spread over methods",
        caption="A bar is the largest accuracy of a method.",
        alt=f"Bars of {len(inputs.comparison.methods)} methods.",
    ),
    draw=draw,
)
