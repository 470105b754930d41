"""The figures: the right points on curves, the right pictures in the right places, the same bytes every time."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image

from tests.report.inputs import (
    HOSTILE,
    metric_rows,
    selection,
    selections_of,
    standard_metrics,
    write_images,
    write_selections,
    write_training_log,
)
from workflow_scripts.common.errors import InputError
from workflow_scripts.common.images import decode_image_sets
from workflow_scripts.common.shards import load_image_set
from workflow_scripts.evaluation.metric_files import read_metrics
from workflow_scripts.report import draw_figures
from workflow_scripts.report.figure import FigureTexts, ReportFigure
from workflow_scripts.report.figure_files import read_figure
from workflow_scripts.report.figures.alphas import alpha_figure, columns_for, curve
from workflow_scripts.report.figures.images import (
    GAP,
    PAIR_GAP,
    PANEL_GAP,
    Panel,
    image_grid,
    left_edges,
    mosaic,
    paired,
    read_panel,
    row_label,
    tile,
    tile_side,
)
from workflow_scripts.report.figures.training import (
    held_out,
    mean_over_runs,
    panel_columns,
    smoothed,
    training_figure,
)
from workflow_scripts.report.style import COLORS, apply_style, strokes
from workflow_scripts.report.tables import over_seeds
from workflow_scripts.report.training_logs import read_training_log

NAMES = ("images", "alphas", "training")
COMPARISON = {"dataset": "toys", "source": "gen", "clip": "clip", "methods": ["plain", "regft"], "seeds": [0]}


def points(line: Any) -> list[tuple[float, float]]:
    """Return a drawn line's points."""
    return [(float(x), float(y)) for x, y in line.get_xydata()]


def settings(**changes: Any) -> str:
    return json.dumps({"figures": NAMES, "comparison": COMPARISON, "images_per_class": 4, **changes})


def command(folder: Path, **inputs: Any) -> dict[str, Path]:
    """Run the entry point's job on files; return the figures."""
    paths = {name: folder / f"figures/toys/gen/clip/{name}.png" for name in NAMES}
    trainings = [{"method": path.parent.parent.name, "seed": 0} for path in inputs.get("training_logs", [])]
    values = {"metrics": [], "training_logs": [], "training_images": [], "test_images": [], "inspections": [], **inputs}
    tables = values["metrics"]
    selections = selections_of(read_metrics(tables), fixed="0.50") if tables else []
    values |= {"selections": write_selections(folder, selections)}
    values |= {"settings": settings(trainings=trainings), "output": list(paths.values())}
    draw_figures.job(type("Options", (), values)())
    return paths


# --- alpha curves


def test_a_curve_holds_what_was_measured() -> None:
    means = over_seeds(pd.DataFrame(metric_rows("plain")[::-1]))
    line = curve(means, method="plain", domain="photo")
    assert line.alphas == (0.0, 0.3, 0.5, 1.0)
    assert line.values == pytest.approx((70.0, 78.0, 80.0, 60.0))
    assert line.low == pytest.approx((65.0, 73.0, 75.0, 55.0))
    assert line.high == pytest.approx((74.0, 82.0, 84.0, 64.0))
    assert np.allclose(line.endpoints, [(0.0, 70.0), (1.0, 60.0)])


def test_no_endpoint_that_was_not_measured() -> None:
    means = over_seeds(pd.DataFrame([row for row in metric_rows("plain") if row["alpha"] != "1.00"]))
    line = curve(means, method="plain", domain="held-out")
    assert [x for x, _ in line.endpoints] == [0.0]
    assert curve(means, method="absent", domain="photo").values == ()


def test_the_figure_marks_what_its_legend_says(tmp_path: Path) -> None:
    apply_style()
    table = pd.concat([pd.read_csv(path, dtype={"alpha": str}) for path in standard_metrics(tmp_path)])
    figure = alpha_figure(table, selections_of(table, fixed="0.50"))
    assert isinstance(figure, Figure)
    axes = [axis for axis in figure.axes if axis.axison]
    assert [axis.get_title(loc="left") for axis in axes] == [
        "real: photo",
        "real: sketch",
        "mean of real domains",
        "held out of training",
    ]
    photo = axes[0].get_lines()
    stars = [line for line in photo if line.get_marker() == "*"]
    assert np.allclose([points(line) for line in stars], [[(0.5, 81.0)], [(1.0, 82.0)]])
    assert not [line for line in axes[3].get_lines() if line.get_marker() == "*"]
    assert any([x for x, _ in points(line)] == [0.5, 0.5] for line in photo)
    assert any(np.allclose([y for _, y in points(line)], [70.0, 70.0]) and len(points(line)) == 2 for line in photo)
    dashed = [line for line in axes[3].get_lines() if len(points(line)) == 4]
    assert {line.get_linestyle() for line in dashed} == {"--"}
    legend = figure.axes[4].get_legend()
    assert legend is not None
    texts = [text.get_text() for text in legend.get_texts()]
    assert texts[:3] == ["plain", "regft", "student"]
    assert "oracle" in texts
    assert "alpha 0.50, fixed beforehand" in texts


def test_picks_that_differ_are_marks_on_the_curves(tmp_path: Path) -> None:
    apply_style()
    rows = [*metric_rows("plain"), *metric_rows("plain", seed=1), *metric_rows("regft")]
    alphas = ["0.00", "0.30", "0.50", "1.00"]
    selections = [
        selection(alphas=alphas, held="0.30", other="0.50", oracle="0.50"),
        selection(seed=1, alphas=alphas, held="0.50", other="0.50", oracle="0.30"),
        selection(method="regft", alphas=alphas, held="1.00", other="0.50", oracle=None),
    ]
    figure = alpha_figure(pd.DataFrame(rows), selections)
    assert isinstance(figure, Figure)
    photo, held_out = figure.axes[0].get_lines(), figure.axes[3].get_lines()
    marked = {marker: sorted(points(line)[0] for line in photo if line.get_marker() == marker) for marker in ("s", "*")}
    assert np.allclose(marked["s"], [(0.3, 78.0), (0.5, 80.0), (1.0, 82.0)])
    assert np.allclose(marked["*"], [(0.3, 78.0), (0.5, 80.0)])
    assert len([line for line in held_out if line.get_marker() == "s"]) == 3
    assert not [line for line in held_out if line.get_marker() == "*"]
    upright = {
        x
        for line in photo
        if len({x for x, _ in points(line)}) == 1 and len(points(line)) == 2
        for x, _ in points(line)
    }
    assert upright == {0.3, 0.5}
    legend = figure.axes[4].get_legend()
    assert legend is not None
    texts = [text.get_text() for text in legend.get_texts()]
    assert texts[2:5] == ["alpha 0.30, fixed beforehand", "by held", "alpha 0.50, by other"]


@pytest.mark.parametrize(("panels", "columns"), [(1, 1), (2, 2), (3, 3), (4, 4), (6, 3), (7, 4), (9, 3)])
def test_panels_leave_few_places_empty(panels: int, columns: int) -> None:
    assert columns_for(panels) == columns


def test_a_method_keeps_its_colour_whatever_the_order() -> None:
    assert strokes(["regft", "plain", "plain"]) == strokes(["plain", "regft"])
    by_method = strokes([f"m{number}" for number in range(9)])
    assert by_method["m0"].color == by_method["m8"].color == COLORS[0]
    assert by_method["m0"].width > by_method["m1"].width > by_method["m8"].width > 1


# --- grid of images


def test_small_pictures_grow_by_whole_numbers_and_stay_sharp() -> None:
    pixels = np.array([[0, 255], [255, 0]], dtype=np.uint8)
    square = tile(Image.fromarray(pixels).convert("RGB"), side=9)
    assert square.shape == (9, 9, 3)
    assert np.array_equal(square[:8, :8, 0], pixels.repeat(4, axis=0).repeat(4, axis=1))
    assert set(square[8].ravel()) == {255}
    large = tile(Image.new("RGB", (300, 150), "black"), side=64)
    assert large.shape == (64, 64, 3)
    assert [int(large[y, 32, 0]) for y in (15, 16, 47, 48)] == [255, 0, 0, 255]


@pytest.mark.parametrize(("columns", "side"), [(1, 128), (14, 128), (15, 96), (18, 96), (19, 64), (400, 64)])
def test_the_side_of_a_picture_depends_on_their_number(columns: int, side: int) -> None:
    assert tile_side(columns) == side


def test_a_panel_holds_the_first_pictures_of_each_class(tmp_path: Path) -> None:
    images = load_image_set(write_images(tmp_path, source="real-train", domain="photo"))
    panel = read_panel(images, classes=[HOSTILE[2], "unknown", HOSTILE[0]], per_class=2, side=64)
    assert (panel.domain, panel.kind) == ("photo", "real, training")
    grays = [[int(picture[0, 0, 0]) for picture in row] for row in panel.rows]
    assert grays == [[80, 81], [], [0, 1]]


def test_a_panel_shows_no_image_that_a_training_leaves_out(tmp_path: Path) -> None:
    manifest = write_images(
        tmp_path,
        source="gen",
        domain="photo",
        per_class=6,
        flagged=[(0, 0), (2, 0), (2, 1), (2, 3)],
        black=[(0, 1), (2, 2), (2, 4)],
    )
    images = load_image_set(manifest)
    panel = read_panel(images, classes=HOSTILE, per_class=3, side=64)
    grays = [[int(picture[0, 0, 0]) for picture in row] for row in panel.rows]
    # The last class has one usable picture: the rest of its row stays white.
    assert grays == [[2, 3, 4], [40, 41, 42], [85]]
    assert set(mosaic(panel, per_class=3, side=64)[2 * (64 + GAP) :, 64 + GAP :].ravel()) == {255}
    trained = decode_image_sets([images], size=8, geometry=lambda picture: picture)
    assert trained.left_out == 7
    kept = [[int(pixels[0, 0, 0]) for pixels in trained.pixels[trained.labels == label]] for label in range(3)]
    assert kept == [[2, 3, 4, 5], [40, 41, 42, 43, 44, 45], [85]]


def test_a_mosaic_places_rows_and_leaves_white_where_images_lack() -> None:
    dark = np.zeros((4, 4, 3), dtype=np.uint8)
    canvas = mosaic(Panel("photo", "generated", ((dark, dark), (dark,))), per_class=2, side=4)
    assert canvas.shape == (8 + GAP, 8 + GAP, 3)
    assert canvas[0, 0, 0] == canvas[0, 4 + GAP, 0] == canvas[4 + GAP, 0, 0] == 0
    assert canvas[4 + GAP, 4 + GAP, 0] == canvas[4, 0, 0] == 255


def test_generated_stands_beside_real_of_the_same_domain() -> None:
    panels = [Panel(domain, kind, ()) for kind in ("generated", "real") for domain in ("photo", "sketch")]
    panels.append(Panel("negative", "real", ()))
    ordered = paired(panels)
    assert [(panel.domain, panel.kind) for panel in ordered] == [
        ("photo", "generated"),
        ("photo", "real"),
        ("sketch", "generated"),
        ("sketch", "real"),
        ("negative", "real"),
    ]
    edges = left_edges(ordered, start=10, width=100)
    assert np.diff(edges).tolist() == [100 + gap for gap in (PANEL_GAP, PAIR_GAP, PANEL_GAP, PAIR_GAP)]


def test_long_class_names_take_two_lines() -> None:
    assert row_label("Ankle boot") == "Ankle boot"
    assert row_label("a very long class name of many words that goes on") == "a very long class\nname of many words…"
    assert row_label("x" * 60) == "x" * 20 + "\n" + "x" * 19 + "…"


def test_the_figure_shows_exact_pixels_and_literal_names(tmp_path: Path) -> None:
    apply_style()
    generated = write_images(tmp_path, source="gen", domain="photo")
    real = write_images(tmp_path, source="real-test", domain="photo", side=16)
    figure = image_grid([generated], [real], per_class=2, max_classes=2)
    assert isinstance(figure, Figure)
    path = tmp_path / "grid.png"
    figure.savefig(path, dpi=figure.dpi)
    pixels = np.asarray(Image.open(path).convert("L"))
    # Two classes, two pictures each, in two panels: four grays below 50 in squares of exactly 128 pixels.
    assert {gray: int((pixels == gray).sum()) // 128**2 for gray in (0, 1, 40, 41)} == {0: 2, 1: 2, 40: 2, 41: 2}
    texts = [text.get_text() for text in figure.texts]
    assert texts[:3] == ["photo", "generated", "real, test"]
    assert "".join(texts[3:]).replace("\n", "") == (HOSTILE[0] + HOSTILE[1]).replace("\n", "")
    assert not any(text.get_parse_math() for text in figure.texts)


# --- training curves


def test_a_log_gives_steps_and_validations(tmp_path: Path) -> None:
    log = read_training_log(write_training_log(tmp_path, method="plain", seed=3), method="plain", seed=3)
    assert (log.method, log.seed) == ("plain", 3)
    assert log.steps["cross_entropy"].tolist() == list(range(10))
    assert log.validations["held_out_accuracy"].tolist() == [0.25, 0.5]


@pytest.mark.parametrize(
    "content", ["{", '{"kind": "step"}', "[1]", '{"no": 1}', "", '{"kind": "validation", "interval": 0}']
)
def test_a_damaged_log_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "plain/seed0/train.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text(content)
    with pytest.raises(InputError, match=r"train\.jsonl: .*delete it and run snakemake again") as caught:
        read_training_log(path, method="plain", seed=0)
    assert "\n" not in str(caught.value)


def test_seeds_are_averaged_in_the_curves(tmp_path: Path) -> None:
    logs = [
        read_training_log(
            write_training_log(tmp_path, method="plain", seed=seed, start=2.0 * seed), method="plain", seed=seed
        )
        for seed in (0, 1)
    ]
    assert mean_over_runs(logs, "cross_entropy").tolist() == [1.0 + step for step in range(10)]
    assert mean_over_runs(logs, "absent").empty
    points = held_out(logs, "held_out_loss")
    assert points.index.tolist() == [4, 9]
    assert points.tolist() == [1.0, 1.0]
    assert held_out(logs, "").empty


def test_columns_of_other_methods_get_panels_of_their_own(tmp_path: Path) -> None:
    path = write_training_log(tmp_path, method="other", distillation_loss=0.5, device="cpu", loss=1.0)
    log = read_training_log(path, method="other", seed=0)
    assert panel_columns([log]) == ["loss", "cross_entropy", "accuracy", "learning_rate", "distillation_loss"]


def test_smoothing_is_a_centred_mean() -> None:
    values = smoothed(pd.Series([0.0, 3.0, 0.0] * 20))
    assert values.iloc[1:-1].tolist() == pytest.approx([1.0] * 58)
    assert smoothed(pd.Series([1.0, 5.0])).tolist() == [1.0, 5.0]


def test_methods_are_colours_and_seeds_are_not(tmp_path: Path) -> None:
    logs = [
        read_training_log(write_training_log(tmp_path, method=method, seed=seed), method=method, seed=seed)
        for method in ("plain", "regft")
        for seed in range(3)
    ]
    figure = training_figure(logs)
    assert isinstance(figure, Figure)
    colors = {line.get_color() for axis in figure.axes for line in axis.get_lines()}
    assert colors == set(COLORS[:2])
    assert [axis.get_title(loc="left") for axis in figure.axes if axis.axison] == [
        "cross-entropy",
        "accuracy, %",
        "learning rate",
    ]
    accuracy = figure.axes[1].get_lines()
    circles = [line for line in accuracy if line.get_marker() == "o"]
    assert points(circles[0]) == [(4.0, 25.0), (9.0, 50.0)]


# --- the entry point


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """Return the figures of two runs over the same inputs."""
    folder = tmp_path_factory.mktemp("figures")
    inputs = {
        "metrics": standard_metrics(folder),
        "training_logs": [
            write_training_log(folder, method="plain"),
            write_training_log(folder, method="regft", start=1.0),
        ],
        "training_images": [write_images(folder, source="gen", domain="photo")],
        "test_images": [write_images(folder, source="real-test", domain="photo")],
    }
    first, again = (
        {name: path.read_bytes() for name, path in command(folder / run, **inputs).items()}
        for run in ("first", "again")
    )
    return first, again


def test_figures_repeat_bit_for_bit_and_hold_no_date(drawn: tuple[dict[str, bytes], dict[str, bytes]]) -> None:
    first, again = drawn
    assert first == again
    for content in first.values():
        assert content.startswith(b"\x89PNG")
        assert b"Software" not in content
        assert b"tIME" not in content


def test_a_figure_carries_its_texts(drawn: tuple[dict[str, bytes], dict[str, bytes]], tmp_path: Path) -> None:
    path = tmp_path / "alphas.png"
    path.write_bytes(drawn[0]["alphas"])
    file = read_figure(path)
    assert (file.title, file.nothing) == ("Accuracy over alpha", None)
    assert file.caption.startswith("Top-1 accuracy of the averaged weights, (1 - alpha) pre-trained")
    assert file.alt == (
        "Line charts of top-1 accuracy over alpha for plain, regft, on: real: photo, real: sketch, mean of real "
        "domains, held out of training. The numbers at both endpoints and at what pickers chose stand in the table "
        "above."
    )
    assert (file.width, file.height) == Image.open(path).size
    Image.new("RGB", (2, 2)).save(path)
    with pytest.raises(InputError, match=r"alphas\.png: a figure without its 'Title'; delete it and run snakemake"):
        read_figure(path)


def test_without_inputs_the_figures_say_so(tmp_path: Path, drawn: tuple[dict[str, bytes], dict[str, bytes]]) -> None:
    for name, path in command(tmp_path).items():
        assert 1_000 < path.stat().st_size < len(drawn[0][name])
        assert (read_figure(path).nothing or "").startswith(f"There {'are' if name == 'images' else 'is'} no ")
    assert training_figure([]) == "There is no training curve: nothing was trained."


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"caption": None}, "description must be a text that shows, not None"),
        ({"alt": "a\x00b"}, r"alternative text must be a text that shows, not 'a\\x00b'"),
        ({"drawn": None}, "drew a NoneType; it must return a matplotlib Figure, or a sentence"),
        ({"drawn": ""}, "nothing to show must be a text that shows, not ''"),
    ],
)
def test_what_a_figure_hands_over_is_looked_at(
    changes: dict[str, Any], error: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = changes.pop("drawn", "no figure")
    texts = FigureTexts(**{"title": "t", "caption": "c", "alt": "a", **changes})
    part = ReportFigure(texts=lambda _: texts, draw=lambda _: drawn)
    monkeypatch.setattr("workflow_scripts.report.figures.alphas.FIGURE", part)
    with pytest.raises(InputError, match=rf"^report\.figures\.alphas: {error}"):
        command(tmp_path)


def test_a_figure_that_is_cut_short_is_named(drawn: tuple[dict[str, bytes], dict[str, bytes]], tmp_path: Path) -> None:
    path = tmp_path / "alphas.png"
    path.write_bytes(drawn[0]["alphas"][:5000])
    with pytest.raises(InputError, match=r"alphas\.png: not a readable figure .*delete it and run snakemake again"):
        read_figure(path)


def test_what_is_no_figure_is_refused(tmp_path: Path) -> None:
    values: dict[str, Any] = {
        "metrics": [],
        "training_logs": [],
        "training_images": [],
        "test_images": [],
        "inspections": [],
    }
    values |= {"selections": [], "settings": settings(figures=["absent"]), "output": [tmp_path / "absent.png"]}
    with pytest.raises(InputError, match=r"report\.figures\.absent: there is no such module below workflow_scripts"):
        draw_figures.job(type("Options", (), values)())
    values["settings"] = settings(figures=["registry"])
    with pytest.raises(InputError, match=r"report\.figures\.registry: FIGURE must be of the class ReportFigure"):
        draw_figures.job(type("Options", (), values)())


def test_the_command_names_a_damaged_file_and_exits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "bad.csv").write_text("dataset\n")
    arguments = ["draw_figures", "--settings", settings(), "--metrics", str(tmp_path / "bad.csv")]
    outputs = [str(tmp_path / f"{name}.png") for name in NAMES]
    monkeypatch.setattr(sys, "argv", [*arguments, "--output", *outputs])
    monkeypatch.setattr("workflow_scripts.common.entry_point.start_logging", lambda _: None)
    monkeypatch.setattr("workflow_scripts.common.entry_point.signal.signal", lambda *_: None)
    with pytest.raises(SystemExit) as caught:
        draw_figures.main()
    assert caught.value.code == 1
    assert "bad.csv: columns are missing" in caplog.text
    assert not list(tmp_path.glob("*.png"))
