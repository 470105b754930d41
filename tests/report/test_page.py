"""The page: right numbers under right names, names escaped, nothing fetched, nothing missing unsaid."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tests.report.inputs import (
    HOSTILE,
    metric_rows,
    selection,
    selections_of,
    standard_metrics,
    tables_of,
    write_images,
    write_metrics,
    write_model,
    write_run_metadata,
    write_selections,
)
from workflow_scripts.common.errors import InputError
from workflow_scripts.evaluation.metric_files import read_metrics
from workflow_scripts.report import write_page
from workflow_scripts.report.costs import duration, read_costs

METHODS = ["zero-shot", "plain", "regft", "student"]


def comparison(dataset: str = "toys", **changes: Any) -> dict[str, Any]:
    return {"dataset": dataset, "source": "gen", "clip": "clip", "methods": METHODS, "seeds": [0, 1], **changes}


FIGURES = ("images", "alphas", "training")


def write_figures(folder: Path, *, nothing: str | None = None) -> list[Path]:
    """Write figures of 20 x 10 pixels; with `nothing` all but the first say that they show nothing."""
    paths = [folder / f"results/report/figures/toys/gen/clip/{name}.png" for name in FIGURES]
    for number, path in enumerate(paths):
        texts = PngInfo()
        for key, text in {"Title": f"Figure {number}", "Description": HOSTILE[1], "Alternative text": "alt"}.items():
            texts.add_itxt(key, text)
        if nothing is not None and number:
            texts.add_itxt("Nothing to show", nothing)
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (20, 10)).save(path, pnginfo=texts)
    return paths


def written_page(folder: Path, *, comparisons: list[dict[str, Any]] | None = None, **inputs: Any) -> str:
    """Run the entry point's job and return the page."""
    values: dict[str, Any] = {
        "metrics": [], "metadata": [], "models": [], "images": [], "figures": [], "costs": None, **inputs
    }  # fmt: skip
    if "selections" not in values:
        chosen = selections_of(read_metrics(values["metrics"])) if values["metrics"] else []
        values["selections"] = write_selections(folder, chosen)
    settings = {
        "configuration": "toys",
        "title": HOSTILE[0],
        "comparisons": [comparison()] if comparisons is None else comparisons,
        "figures": values.pop("drawn", FIGURES if values["figures"] else ()),
        "models": values.pop("names", [f"model{number}" for number in range(len(values["models"]))]),
        "runs": values.pop("runs", [f"run {number}" for number in range(len(values["metadata"]))]),
        "shared": ["models/toy-clip", "images/toys/gen/photo"],
    }
    output = folder / "report/index.html"
    table = folder / "report/metrics.csv"
    write_page.job(
        type("Options", (), {"settings": json.dumps(settings), "output": output, "table": table, **values})()
    )
    return output.read_text(encoding="utf-8")


def write_costs(folder: Path) -> Path:
    benchmarks = folder / "benchmarks"
    rows = {
        "train_finetune/toys/runs/a/b/0.tsv": (90.0, 100),
        "train_finetune/toys/runs/a/b/1.tsv": (30.0, 300),
        "train_finetune/others/runs/a/b/1.tsv": (1000.0, 3000),
        "pretrain_clip/shared/models/toy-clip.tsv": (20.0, 50),
        "pretrain_clip/shared/models/other-clip.tsv": (1000.0, 3000),
        "generate_images/shared/images/toys/gen/photo/0-4.tsv": (10.0, 40),
        "generate_images/shared/images/toys/gen/sketch/0-4.tsv": (1000.0, 40),
        "score_images/toys/runs/x.tsv": (60, "-"),
    }
    for name, (seconds, memory) in rows.items():
        path = benchmarks / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"s\th:m:s\tmax_rss\n{seconds}\t0:00:01\t{memory}\n")
    return benchmarks


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Return the folder and the text of a page with everything on it."""
    folder = tmp_path_factory.mktemp("page")
    scheduler: dict[str, Any] = {
        "scheduler": "dpm++",
        "steps": 12,
        "guidance_scale": 3.0,
        "safety_checker": True,
        "nested": {"a": 1},
    }
    images = [
        write_images(folder, source="gen", domain="photo", **scheduler),
        write_images(folder, source="gen", domain="sketch", **scheduler),
        write_images(folder, source="real-test", domain="photo"),
    ]
    models = [
        write_model(folder, "toy-clip", kind="pretrain", seen=f"40 images {HOSTILE[1]}"),
        write_model(folder, "hub-clip", kind="hub", repository="org/name", revision="abc"),
    ]
    text = written_page(
        folder,
        metrics=standard_metrics(folder),
        metadata=[
            write_run_metadata(folder, method="plain", note=HOSTILE[0]),
            write_run_metadata(folder, method="regft"),
        ],
        images=images,
        models=models,
        names=["toy-clip", "hub-clip"],
        runs=["toys, gen, clip, plain, seed0", "toys, gen, clip, regft, seed0"],
        figures=write_figures(folder),
        costs=write_costs(folder),
    )
    return folder, text


def numbers(row: list[str]) -> list[float]:
    """Return the values of a table row, without intervals and differences."""
    return [float(cell.split()[0]) for cell in row if re.match(r"\d+\.\d( |$)", cell)]


def test_the_headline_table_holds_the_numbers(full: tuple[Path, str]) -> None:
    rows = tables_of(full[1])["top-1 accuracy"]
    columns = ["real: photo", "real: sketch", "mean of real domains", "held out of training"]
    assert rows[0] == ["method", "alpha", "why this alpha", *columns]
    by_role = {(row[0], row[2]): row for row in rows[1:]}
    assert [row[1] for row in rows[1:]] == [
        "0.00",
        "0.00",
        "0.30",
        "1.00",
        "0.50",
        "0.00",
        "0.30",
        "1.00",
        "1.00",
        "1.00",
    ]
    assert by_role["zero-shot", "nothing trained"][3:] == ["70.0 65.0–74.0", "50.0 45.0–54.0", "60.0 55.0–64.0", "–"]
    assert numbers(by_role["regft", "fixed beforehand"]) == [72.0, 52.0, 62.0, 82.0]
    assert numbers(by_role["regft", "fine-tuned endpoint"]) == [82.0, 62.0, 72.0, 92.0]
    assert numbers(by_role["plain", "oracle"]) == [81.0, 61.0, 71.0, 91.0]
    assert by_role["plain", "fixed beforehand"][1] == "0.30"
    assert by_role["plain", "fixed beforehand"][3] == "79.0 74.0–83.0 ±1.4, 2 seeds"
    assert by_role["student", "the only one"][1] == "1.00"


def test_other_metrics_are_folded_in_their_own_units(full: tuple[Path, str]) -> None:
    tables = tables_of(full[1])
    assert tables["negative log-likelihood"][1][3] == "0.400 0.350–0.440"
    assert tables["expected calibration error"][1][3] == "12.5 7.5–16.5"
    assert "top-5 accuracy" not in tables
    (folded,) = re.findall(r"<details><summary>Other metrics: (.*?)</summary>", full[1])
    assert folded == "negative log-likelihood, expected calibration error"


def test_the_summary_shows_the_fixed_alpha_and_the_gain(full: tuple[Path, str]) -> None:
    head, row = tables_of(full[1])["Summary"]
    assert head[2:] == METHODS
    assert row[:2] == ["toys, gen, clip", "mean of real domains (photo, sketch)"]
    values = ["60.0 55.0–64.0", "69.0 +9.0 64.0–73.0 ±1.4, 2 seeds", "62.0 +2.0 57.0–66.0", "66.0 +6.0 61.0–70.0"]
    assert row[2:] == values


def test_a_method_is_compared_with_zero_shot_of_its_own_head(tmp_path: Path) -> None:
    other = [{**row, "method": "zero-shot.short"} for row in metric_rows("zero-shot", shift=0.05)]
    rows = [*metric_rows("zero-shot"), *other, *metric_rows("plain"), *metric_rows("regft")]
    methods = ["zero-shot", "zero-shot.short", "plain", "regft"]
    item = comparison(methods=methods, zero_shot={"plain": "zero-shot", "regft": "zero-shot.short"})
    page = written_page(tmp_path, comparisons=[item], metrics=[write_metrics(tmp_path, rows)])
    head, row = tables_of(page)["Summary"]
    assert head[2:] == methods
    gains = [re.search(r"[+\N{MINUS SIGN}]\d+\.\d", cell) for cell in row[2:]]
    assert [gain and gain.group() for gain in gains] == [None, "+5.0", "+8.0", "\N{MINUS SIGN}3.0"]


def test_oracles_are_never_bold_and_every_column_has_a_best(full: tuple[Path, str]) -> None:
    (table,) = re.findall(r'aria-label="top-1 accuracy".*?</table>', full[1], flags=re.DOTALL)
    rows = re.findall(r'<tr class="([\w-]+).*?>(.*?)</tr>', table, flags=re.DOTALL)
    bold = {role: body.count("<strong>") for role, body in rows if "<strong>" in body}
    assert bold == {"fine-tuned": 4}
    marked = re.findall(r'<tr class="(\w+) result', table)
    assert marked == ["picked", "picked", "only"]


def test_the_page_says_how_each_picker_chose(full: tuple[Path, str]) -> None:
    terms = dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", full[1]))
    assert terms["fixed beforehand"] == "How it chooses. These rows are the result."
    assert terms["oracle"] == "How it chooses."
    assert "Alpha: fixed beforehand (0.30); no label of a test image chose it." in full[1]


def test_choices_that_differ_stand_in_the_summary(tmp_path: Path) -> None:
    rows = [*metric_rows("plain"), *metric_rows("plain", seed=1), *metric_rows("regft"), *metric_rows("student")]
    alphas = ["0.00", "0.30", "0.50", "1.00"]
    selections = [
        selection(alphas=alphas, fixed="0.30", held="0.50", oracle="0.50"),
        selection(seed=1, alphas=alphas, fixed="0.50", held=None, oracle="0.50"),
        selection(method="regft", alphas=alphas, fixed="1.00", held="1.00", oracle="1.00"),
        selection(method="student", alphas=["1.00"], fixed="1.00", held="1.00", oracle="1.00"),
    ]
    paths = write_selections(tmp_path, selections)
    page = written_page(tmp_path, metrics=[write_metrics(tmp_path, rows)], selections=paths)
    _, row = tables_of(page)["Summary"]
    # The mean of 68 at 0.30 and 70 at 0.50; what has one alpha has it there, too.
    assert row[3] == "69.0 64.0–73.0 alpha 0.30, 0.50 ±1.4, 2 seeds"
    assert row[4:] == ["72.0 67.0–76.0 alpha 1.00", "66.0 61.0–70.0 alpha 1.00"]
    terms = dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", page))
    assert terms["Alpha"] == "fixed beforehand (0.30, 0.50, 1.00)"
    assert terms["by held"] == "How it chooses. It chose nothing for plain, seed 1."
    shown = [line[2] for line in tables_of(page)["top-1 accuracy"] if line[0] == "plain"]
    assert shown == ["pre-trained endpoint", "fixed beforehand", "by held", "fine-tuned endpoint", "oracle"]


def test_a_run_without_its_selection_is_named(tmp_path: Path) -> None:
    rows = [*metric_rows("plain"), *metric_rows("plain", seed=1)]
    selections = write_selections(tmp_path, selections_of(pd.DataFrame(rows))[:1])
    metrics = write_metrics(tmp_path, rows)
    with pytest.raises(InputError, match=r"--selections: no selection of toys, gen, clip, plain, 1; give one of each"):
        written_page(tmp_path, metrics=[metrics], selections=selections)
    others = write_selections(tmp_path, [selection(seed=seed, alphas=["0.30", "0.70"], oracle=None) for seed in (0, 1)])
    with pytest.raises(InputError, match=r"--metrics: none of toys, gen, clip, plain, 0 at alpha 0\.70, which its"):
        written_page(tmp_path, metrics=[metrics], selections=others)


def test_a_damaged_selection_is_named(tmp_path: Path) -> None:
    rows = metric_rows("plain")
    (path,) = write_selections(tmp_path, [selection(alphas=["0.30"], oracle="0.30")])
    text = path.read_text()
    for old, new, error in (
        ('"seed":0', '"seed":"x"', "seed: "),
        ('"alpha":"0.30"', '"alpha":"0.40"', "choices: 0.40 of 'fixed' is not one of alphas"),
        ('"picker":"oracle"', '"picker":"fixed"', "choices: fixed, fixed are not one choice per picker"),
    ):
        path.write_text(text.replace(old, new))
        with pytest.raises(InputError, match=rf"selection0\.json: not a readable selection \({error}.*; delete it and"):
            written_page(tmp_path, metrics=[write_metrics(tmp_path, rows)], selections=[path])


def test_what_ran_and_what_models_have_seen(full: tuple[Path, str]) -> None:
    facts = dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", full[1]))
    assert facts["Task"] == "toys (3 classes)"
    assert facts["Training images from"] == "gen (generated)"
    assert facts["Seeds"] == "0, 1"
    assert facts["Alpha"] == "fixed beforehand (0.30)"
    assert facts["Runs"] == "2"
    assert (facts["scheduler"], facts["guidance_scale"], facts["steps"]) == ("dpm++", "3", "12")
    assert facts["safety_checker"] == "yes"
    assert facts["torch"] == "9.8.7"
    assert tables_of(full[1])["Models"][1:] == [
        ["toy-clip", "trained by this workflow", f"40 images {HOSTILE[1]}"],
        ["hub-clip", "org/name, revision abc", "its manifest does not say; see the model's own documentation"],
    ]
    assert tables_of(full[1])["Images"][1] == ["toys", "gen", "generated", "photo", "12", "4"]
    assert full[1].count("How they were made: toys, gen (generated), photo, sketch") == 1
    assert "Device cpu, 1 thread per job: 2 runs" in full[1]


def test_names_are_data_and_nothing_is_fetched(full: tuple[Path, str]) -> None:
    text = full[1]
    assert "<script" not in text
    assert text.count("&lt;script&gt;alert(&#34;pwned&#34;)&lt;/script&gt;") >= 3
    assert "$x^2$ &amp; &#34;q&#34; $" in text
    targets = re.findall(r"(?:src|href)=[\"']?([^\"'>\s]*)", text)
    assert len(targets) > 10
    assert all(re.match(r"#|data:image/png;base64,|metrics\.csv$", target) for target in targets)
    assert "url(" not in text
    assert "@import" not in text
    assert "://" not in text
    assert "default-src 'none'" in text


def test_the_figures_are_inside_with_texts_and_sizes(full: tuple[Path, str]) -> None:
    image = r'<img src="data:image/png;base64,[\w+/=]+" alt="(.*?)" width="(\d+)" height="(\d+)"'
    assert re.findall(image, full[1]) == [("alt", "10", "5")] * 3
    assert re.findall(r"<figure><h3>(.*?)</h3>", full[1]) == ["Figure 0", "Figure 1", "Figure 2"]
    assert full[1].count("<figcaption>$x^2$ &amp; &#34;q&#34; $</figcaption>") == 3


def test_every_link_of_the_contents_has_a_target(full: tuple[Path, str]) -> None:
    targets = re.findall(r'href="#(.*?)"', full[1])
    assert "toys--gen--clip" in targets
    for target in targets:
        assert full[1].count(f'id="{target}"') == 1, target


def test_the_table_of_all_metrics(full: tuple[Path, str]) -> None:
    folder = full[0]
    table = pd.read_csv(folder / "report/metrics.csv", dtype={"alpha": str}, keep_default_na=False)
    assert len(table) == sum(len(pd.read_csv(path)) for path in standard_metrics(folder))
    assert table["source"].tolist() == sorted(table["source"])
    one = table[(table["method"] == "plain") & (table["seed"] == 1) & (table["alpha"] == "0.30")]
    assert one[(one["domain"] == "photo") & (one["metric"] == "top1")]["value"].item() == pytest.approx(0.8)


def test_costs_of_own_jobs_and_of_shared_ones_that_are_used_are_added_up(full: tuple[Path, str]) -> None:
    assert tables_of(full[1])["Cost"][1:] == [
        ["train_finetune", "2", "2 min 00 s", "", "300 MB"],
        ["score_images", "1", "1 min 00 s", "", "–"],
        ["pretrain_clip", "1", "20.0 s", "", "50 MB"],
        ["generate_images", "1", "10.0 s", "", "40 MB"],
        ["all", "5", "3 min 30 s", "", "300 MB"],
    ]
    assert 'style="width: 50.0%"' in full[1]


def test_durations_read_well() -> None:
    expected = ["7.5 s", "1 min 00 s", "5 min 31 s", "2 h 04 min"]
    assert [duration(each) for each in (7.46, 59.97, 331, 7449)] == expected


def test_missing_and_damaged_costs_are_said(tmp_path: Path) -> None:
    assert "No cost is known" in written_page(tmp_path)
    assert "No cost is known" in written_page(tmp_path, costs=tmp_path / "nowhere")
    folder = write_costs(tmp_path)
    (folder / "score_images/toys/empty.tsv").write_text("")
    (folder / "score_images/toys/other.tsv").write_text("a\tb\n1\t2\n")
    assert read_costs(folder, configuration="toys", shared=()).unreadable == 2
    assert "2 benchmark files could not be read and are left out." in written_page(tmp_path, costs=folder)


def test_nothing_at_all_is_a_page_too(tmp_path: Path) -> None:
    text = written_page(tmp_path, comparisons=[])
    for sentence in ("No model's manifest", "There are no images", "No run left its metadata", "No run recorded its"):
        assert sentence in text
    text = written_page(tmp_path)
    assert "There is nothing to measure" in text
    assert tables_of(text)["Summary"][1][1:] == ["nothing", "–", "–", "–", "–"]


def test_names_only_has_no_oracle(tmp_path: Path) -> None:
    rows = [*metric_rows("plain", domains=["held-out"]), *metric_rows("regft", domains=["held-out"])]
    text = written_page(tmp_path, metrics=[write_metrics(tmp_path, rows)])
    table = tables_of(text)["top-1 accuracy"]
    assert table[0][3:] == ["held out of training"]
    assert not [row for row in table if "oracle" in row[2]]
    assert tables_of(text)["Summary"][1][1:] == [
        "held-out training images",
        "–",
        "88.0 83.0–92.0",
        "82.0 77.0–86.0",
        "–",
    ]


def test_many_comparisons_get_a_mean_where_it_compares(tmp_path: Path) -> None:
    rows = [*metric_rows("zero-shot"), *metric_rows("plain"), *metric_rows("regft")]
    rows += [*metric_rows("zero-shot", dataset="others"), *metric_rows("plain", dataset="others", shift=0.1)]
    comparisons = [comparison(), comparison("others")]
    text = written_page(tmp_path, comparisons=comparisons, metrics=[write_metrics(tmp_path, rows)])
    summary = tables_of(text)["Summary"]
    assert [row[0] for row in summary[1:]] == ["toys, gen, clip", "others, gen, clip", "mean of 2 data sets, gen, clip"]
    assert summary[3][2:] == ["60.0", "73.0 +13.0", "–", "–"]
    assert text.count('href="#others--gen--clip"') == 2


def test_label_sets_stand_apart(tmp_path: Path) -> None:
    rows = metric_rows("plain")
    rows += [{**row, "label_set": "new", "value": 0.25} for row in rows if row["metric"] == "top1"]
    tables = tables_of(written_page(tmp_path, metrics=[write_metrics(tmp_path, rows)]))
    assert set(numbers(tables["top-1 accuracy, new classes"][1])) == {25.0}
    assert numbers(tables["top-1 accuracy"][1]) == [70.0, 50.0, 60.0, 80.0]


def test_a_real_training_source_is_not_called_generated(tmp_path: Path) -> None:
    text = written_page(tmp_path, comparisons=[comparison(source="real-train")])
    assert "images from real-train (real, training)" in text
    assert "(generated)" not in text


def test_zero_shot_alone_claims_no_training(tmp_path: Path) -> None:
    alone = [comparison(source="none", methods=["zero-shot"], seeds=[0])]
    metrics = [write_metrics(tmp_path, metric_rows("zero-shot"))]
    page = written_page(
        tmp_path, comparisons=alone, metrics=metrics, figures=write_figures(tmp_path, nothing="No curve.")
    )
    assert "zero-shot alone, CLIP clip" in page
    assert "drawn and nothing was trained" in page
    assert page.count("<figure>") == 1
    assert page.count('<p class="soft">No curve.</p>') == 2
    for claim in ("a CLIP is fine-tuned on them", "images from none", "none (generated)"):
        assert claim not in page, claim


def test_names_come_from_the_settings_not_from_paths(tmp_path: Path) -> None:
    metadata = [write_run_metadata(tmp_path, method="plain")]
    models = [write_model(tmp_path, "a-1a2b3c4d", kind="hub", repository="org/name", revision="abc")]
    text = written_page(tmp_path, metadata=metadata, runs=["toys, gen, clip, plain, seed0"], models=models, names=["a"])
    assert "<summary>toys, gen, clip, plain, seed0</summary>" in text
    assert tables_of(text)["Models"][1][0] == "a"
    with pytest.raises(InputError, match="--metadata: 1 files, but the settings name 0"):
        written_page(tmp_path, metadata=metadata, runs=[])


@pytest.mark.parametrize("content", ["{", "[]", None])
@pytest.mark.parametrize("kind", ["metadata", "models", "images", "figures"])
def test_damaged_inputs_are_named_and_nothing_is_written(tmp_path: Path, kind: str, content: str | None) -> None:
    path = tmp_path / "results/report/figures/toys/gen/clip/images.png"
    path.parent.mkdir(parents=True)
    if content is not None:
        path.write_text(content)
    inputs: dict[str, Any] = {kind: [path], "drawn": ["images"] if kind == "figures" else []}
    with pytest.raises(InputError, match=r"images\.png: ") as caught:
        written_page(tmp_path, **inputs)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "report").exists()


def test_the_stage_is_light() -> None:
    check = "import sys; from workflow_scripts.report import {0}; print(sorted({1} & set(sys.modules)))"
    for entry, heavy in {
        "write_page": {"torch", "matplotlib", "open_clip"},
        "draw_figures": {"torch", "open_clip"},
    }.items():
        command = [sys.executable, "-c", check.format(entry, heavy)]
        assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "[]\n"


def chromium(folder: Path, *options: str, url: str) -> str:
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
    flags += ["--disable-background-networking", "--disable-component-update", f"--user-data-dir={folder / 'profile'}"]
    command = ["chromium", *flags, *options, url]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


@pytest.mark.skipif(shutil.which("chromium") is None, reason="Chromium is not installed")
def test_a_browser_shows_the_page_and_runs_nothing(full: tuple[Path, str], tmp_path: Path) -> None:
    probe = tmp_path / "index.html"
    # Were a name executed, its alert would leave a mark in the page; the policy that forbids all scripts is taken off,
    # so that escaping alone is tested.
    open_to_scripts = re.sub(r"<meta http-equiv=.*?>", "", full[1])
    probe.write_text(open_to_scripts.replace("alert(", "document.body.dataset.pwned=("), encoding="utf-8")
    shot = tmp_path / "page.png"
    dom = chromium(tmp_path, "--dump-dom", f"--screenshot={shot}", "--window-size=1200,900", url=probe.as_uri())
    assert "data-pwned" not in dom
    assert "<script" not in dom
    assert dom.count("<img ") == 3
    assert tables_of(dom)["top-1 accuracy"] == tables_of(full[1])["top-1 accuracy"]
    pixels = Image.open(shot).convert("L")
    assert pixels.size == (1200, 900)
    assert len(pixels.getcolors(256) or []) > 20
