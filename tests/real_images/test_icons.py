"""Icons: which sets and names there are, what is drawn and what is not, styles, twins, authors, and the table."""

import json
import logging
import tarfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from tests.real_images.icon_package import (
    COLOURED,
    FILLED,
    FRAME,
    SHADED,
    SHAPES,
    icon_set,
    small_package,
    squeezed,
    write_package,
)
from workflow_scripts.common.errors import InputError, errors_of
from workflow_scripts.common.images import decode_rgb
from workflow_scripts.common.parquet import read_parquet
from workflow_scripts.real_images import convert_real_images, prepare_real_images
from workflow_scripts.real_images.icons import install as installing
from workflow_scripts.real_images.icons import list_seen
from workflow_scripts.real_images.icons.catalogue import Catalogue, catalogue, draw, read_icons, verify_counts
from workflow_scripts.real_images.icons.package import (
    VERSION,
    Icon,
    IconSet,
    default_folder,
    icon_name,
    icon_sets,
    icons_of,
    package_folder,
    sets_without_licence,
    svg_of,
)
from workflow_scripts.real_images.icons.rendering import render
from workflow_scripts.real_images.icons.styles import STYLES, styles_of
from workflow_scripts.real_images.icons.svg_checks import svg_error
from workflow_scripts.real_images.icons.twins import crops_of, first_of_twins, twin_pairs
from workflow_scripts.real_images.kinds.icons import TEST_AUTHORS, Icons
from workflow_scripts.real_images.prepared import OTHER, read_prepared
from workflow_scripts.real_images.settings import preparation_job, real_shard_job

PAGE = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 24 24">{}</svg>'
ANNA = IconSet("s", "Set", "Anna", "MIT")
CLASSES = tuple(SHAPES)


def named(key: str, body: str, *, author: str = "Anna") -> Icon:
    origin = IconSet(author.lower(), "Set", author, "MIT")
    return Icon(origin, key, key.split("-")[0], "", PAGE.format(body))


def pixels_of(*bodies: str, size: int = 32) -> npt.NDArray[np.uint8]:
    drawings = render([PAGE.format(body) for body in bodies], size=size, processes=1)
    assert not [drawing for drawing in drawings if isinstance(drawing, str)]
    return np.stack(drawings)


def one_set(folder: Path, icons: dict[str, Any], **further: Any) -> tuple[Path, IconSet]:
    package = write_package(folder, {"s": icon_set(author="Anna", icons=icons, **further)})
    return package, icon_sets(package)["s"]


# --- the package -----------------------------------------------------------------------------------------------------


def test_only_permissive_visible_sets_whose_names_are_nouns_are_used(tmp_path: Path) -> None:
    icons = {"house": "<path/>"}
    sets = {
        "apache": icon_set(author="A", icons=icons, license="Apache-2.0"),
        "by": icon_set(author="B", icons=icons, license="CC-BY-4.0"),
        "gpl": icon_set(author="C", icons=icons, license="GPL-3.0-or-later"),
        "flags": icon_set(author="D", icons=icons, category="Flags / Maps"),
        "hidden": icon_set(author="E", icons=icons),
        "mit": icon_set(author="F", icons=icons),
        "nobody": icon_set(author="G", icons=icons, license=None),
    }
    sets["hidden"]["info"]["hidden"] = True
    package = write_package(tmp_path, sets)
    assert icon_sets(package) == {
        "apache": IconSet("apache", "Set of A", "A", "Apache-2.0"),
        "mit": IconSet("mit", "Set of F", "F", "MIT"),
    }
    assert sets_without_licence(package) == ["nobody"]


def test_a_set_without_licence_is_named_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    sets = {"a": icon_set(author="A", icons={"house": "<path/>"}), "b": icon_set(author="B", icons={}, license=None)}
    with caplog.at_level(logging.WARNING):
        read_icons(write_package(tmp_path, sets), {"house"}, test_authors=(), other_names=False)
    assert "icon set 'b' names no licence: its icons are left out" in caplog.messages


@pytest.mark.parametrize(
    ("keys", "further", "expected"),
    [
        (["house-outline", "tree"], {"suffixes": {"outline": "Outline"}}, {("house", "outline"), ("tree", "")}),
        (["twotone-house", "tree"], {"prefixes": {"twotone": "Two"}}, {("house", "twotone"), ("tree", "")}),
        (["traffic-light"] + [f"x{n}" for n in range(99)], {}, {("traffic light", "")}),
        ([f"{chr(97 + n)}-light" for n in range(9)], {}, {("a", "light")}),
        (["house-two-tone", "a-two-tone"], {}, {("house", "tone two")}),
        (["alarm-clock-01", "alarm-clock-02"], {}, {("alarm clock", "")}),
        (["outline"], {"suffixes": {"outline": "Outline"}}, {("outline", "")}),
        (["bell-alt"], {}, {("bell", "")}),
    ],
)
def test_keys_are_names_and_styles(
    tmp_path: Path, keys: list[str], further: dict[str, Any], expected: set[tuple[str, str]]
) -> None:
    package, origin = one_set(tmp_path, dict.fromkeys(keys, "<path/>"), **further)
    assert expected <= {(icon.name, icon.style_words) for icon in icons_of(package, origin)}


def test_of_one_name_and_style_the_plainest_is_taken(tmp_path: Path) -> None:
    keys = ["cat-16-filled", "cat-24-filled", "cat-48-filled", "cat-20", "cat-alt", "cat", "dog-2", "dog-1"]
    package, origin = one_set(
        tmp_path, {**dict.fromkeys(keys, "<path/>"), "gone": {"body": "", "hidden": True}}, suffixes={"filled": "F"}
    )
    assert [icon.image_id for icon in icons_of(package, origin)] == ["s:cat", "s:cat-24-filled", "s:dog-1"]


def test_an_icons_view_is_a_square_around_its_own_size(tmp_path: Path) -> None:
    assert 'viewBox="0 -4 24 24"' in svg_of({"body": "<path/>", "height": 16}, {"width": 24, "height": 24})
    assert 'viewBox="-3 2 16 16"' in svg_of({"body": "", "width": 10, "height": 16, "top": 2}, {})


def test_class_names_are_spelled_as_keys_are() -> None:
    assert [icon_name(name) for name in ("Alarm clock", "alarm_clock", "alarm-clock")] == ["alarm clock"] * 3


def broken_packages(folder: Path) -> dict[str, tuple[Path, str]]:
    def package(name: str) -> Path:
        return small_package(folder / name)

    missing_set, cut, empty, fewer, other = (package(name) for name in ("set", "cut", "empty", "fewer", "other"))
    (missing_set / "json" / "s1.json").unlink()
    whole = (cut / "json" / "s1.json").read_text()
    (cut / "json" / "s1.json").write_text(whole[: len(whole) // 2])
    (empty / "collections.json").write_text("[]")
    content = json.loads((fewer / "json" / "s1.json").read_text())
    content["icons"].popitem()
    (fewer / "json" / "s1.json").write_text(json.dumps(content))
    (other / "package.json").write_text('{"version": "2.2.1"}')
    return {
        "nothing": (folder / "nothing", r"nothing: does not hold npm's @iconify/json 2\.2\.535; run `make data`"),
        "set": (missing_set, r"set: json/s1\.json is missing, so this is no whole @iconify/json; run `make data`"),
        "cut": (cut, r"cut/json/s1\.json: damaged or cut short \(.*\); run `make data`"),
        "empty": (empty, r"collections\.json: not a JSON object"),
        "fewer": (fewer, r"fewer/json/s1\.json: holds 11 icons of 12; run `make data`"),
        "other": (other, r"other: holds version 2\.2\.1 of npm's @iconify/json, not 2\.2\.535; run `make data`"),
    }


@pytest.mark.parametrize("which", ["nothing", "set", "cut", "empty", "fewer", "other"])
def test_a_package_that_is_not_whole_is_refused_with_a_way_out(tmp_path: Path, which: str) -> None:
    package, message = broken_packages(tmp_path)[which]
    with pytest.raises(InputError, match=message) as caught:
        read_icons(package, set(CLASSES), test_authors=(), other_names=False)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("place", [".", "package", "node_modules/@iconify/json"])
def test_the_package_is_found_as_npm_and_its_archive_leave_it(tmp_path: Path, place: str) -> None:
    small_package(tmp_path / place)
    assert package_folder(tmp_path) == tmp_path / place


def test_make_data_puts_the_package_into_the_users_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_folder() == tmp_path / "nameonly" / f"iconify-json-{VERSION}"


# --- drawing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ('<path d="M0 0h9"/>', None),
        ('<g id="a"><path/></g><use xlink:href="#a"/><path mask="url(#m)" fill="url( \'#m\' )"/>', None),
        ('<image href="file:///etc/passwd"/>', "holds another picture"),
        ('<svg:image xlink:href="http://a.example/b.png"/>', "holds another picture"),
        ('<filter><feImage href="#a"/></filter>', "holds another picture"),
        ("<script>alert(1)</script>", "holds a script or a foreign document"),
        ("<foreignObject><body/></foreignObject>", "holds a script or a foreign document"),
        ('<use href="http://a.example/a.svg#b"/>', "refers to something outside of itself"),
        ("<use xlink:href = 'other.svg#b'/>", "refers to something outside of itself"),
        ('<path fill="url(http://a.example/c.svg#d)"/>', "refers to something outside of itself"),
        ("<style>@import 'a.css';</style>", "refers to something outside of itself"),
        ("<!ENTITY a 'b'>", "declares entities or instructions"),
        ('<?xml-stylesheet href="a.css"?>', "declares entities or instructions"),
        ("LONG", "is 280109 characters long (at most 200000)"),
    ],
)
def test_what_reaches_out_or_has_no_end_is_not_drawn(body: str, reason: str | None) -> None:
    assert svg_error(PAGE.format("<path/>" * 40_000 if body == "LONG" else body)) == reason


def test_one_that_breaks_the_renderer_takes_nothing_else_along() -> None:
    square = FILLED.format("6,6 18,6 18,18 6,18")
    deep = "<g>" * 20_000 + "<path/>" + "</g>" * 20_000
    bomb = "<defs><g id='a0'><path d='M1 1h5v5z'/></g>" + "".join(
        f"<g id='a{n}'>" + f"<use href='#a{n - 1}'/>" * 10 + "</g>" for n in range(1, 10)
    )
    bodies = [square, deep, square, f"{bomb}</defs><use href='#a9'/>", "<path d='M4 4h16'", square]
    drawings = render([PAGE.format(body) for body in bodies], size=32, processes=2)
    expected = np.full((32, 32, 3), 255, dtype=np.uint8)
    for number in (0, 2, 5):
        drawing = drawings[number]
        assert not isinstance(drawing, str)
        assert (drawing[8:24, 8:24] == 0).all()
        assert (drawing[:4] == expected[:4]).all()
    assert drawings[1] == "brings the renderer down, or takes too long"
    assert "nodes limit" in str(drawings[3])
    assert str(drawings[4]).startswith("is no SVG that can be drawn (")


def test_what_cannot_be_drawn_or_shows_nothing_is_left_out_and_named(caplog: pytest.LogCaptureFixture) -> None:
    icons = [
        named("house-a", FILLED.format(SHAPES["house"])),
        named("house-b", "<path"),
        named("house-c", '<path d="M1 1h9v9z" opacity="0"/>'),
    ]
    with caplog.at_level(logging.INFO):
        drawings = draw(icons, size=32, processes=1)
    assert [icon.key for icon in drawings.icons] == ["house-a"]
    assert any("icon anna:house-b is no SVG that can be drawn" in line for line in caplog.messages)
    assert "2 of 3 icons drawn; 1 of them show nothing" in caplog.messages


# --- styles and twins ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [32, 64])
def test_styles_are_told_from_pixels(size: int) -> None:
    house = SHAPES["house"]
    bodies = {
        "outline": FRAME.format(house),
        "solid": FILLED.format(house),
        "shaded": SHADED.format(house),
        "colour": COLOURED.format(house),
    }
    assert tuple(bodies) == STYLES
    assert styles_of(pixels_of(*bodies.values(), size=size)) == list(STYLES)
    assert styles_of(pixels_of('<path d="M4 11h16v2H4z" fill="#888"/>', size=size)) == ["outline"]


def test_twins_are_one_drawing_wherever_it_stands() -> None:
    kite, house = squeezed(SHAPES["boat"], 0.8), SHAPES["house"]
    pixels = pixels_of(
        FILLED.format(kite),
        f'<g transform="translate(1.5 -1.5)">{FILLED.format(kite)}</g>',
        FILLED.format(squeezed(kite, 0.7)),
        FILLED.format(house),
    )
    crops = crops_of(pixels)
    assert crops.shape == (4, 576)
    assert np.allclose(np.linalg.norm(crops, axis=1), 1.0, atol=1e-5)
    assert np.allclose(crops.mean(axis=1), 0.0, atol=1e-6)
    rows, columns = twin_pairs(crops, crops)
    assert set(zip(rows.tolist(), columns.tolist(), strict=True)) == {(0, 0), (0, 1), (1, 0), (1, 1), (2, 2), (3, 3)}


def test_of_a_chain_of_twins_the_first_is_kept_within_its_name() -> None:
    # Each is the twin of its neighbors only.
    steps = np.linspace(0, 1.0, 6)
    crops = np.stack([np.cos(steps), np.sin(steps)], axis=1).astype(np.float32)
    assert twin_pairs(crops[:1], crops)[1].tolist() == [0, 1]
    assert first_of_twins(crops, ["a"] * 6).tolist() == [True] + [False] * 5
    assert first_of_twins(crops, ["a", "b", "a", "b", "a", "b"]).tolist() == [True] * 6
    assert first_of_twins(crops[:0], []).tolist() == []


def test_nothing_drawn_is_nobodys_twin() -> None:
    crops = crops_of(np.full((2, 32, 32, 3), 255, dtype=np.uint8))
    assert twin_pairs(crops, crops)[0].tolist() == []


# --- training and test pictures --------------------------------------------------------------------------------------


def drawn_catalogue(icons: list[Icon], classes: tuple[str, ...] = CLASSES, left_out: tuple[str, ...] = ()) -> Catalogue:
    return catalogue(draw(icons, size=32, processes=1), classes, test_authors=("IBM",), left_out=left_out)


def sides(found: Catalogue) -> dict[str, bool]:
    return {icon.image_id: bool(test) for icon, test in zip(found.drawings.icons, found.is_test, strict=True)}


def test_authors_stand_on_one_side_and_copies_of_training_pictures_are_no_test() -> None:
    house, kite, boat = (FILLED.format(SHAPES[name]) for name in ("house", "kite", "boat"))
    icons = [
        named("house-copied", house, author="IBM"),
        named("house-own", FILLED.format(squeezed(SHAPES["house"], 0.7)), author="IBM"),
        named("house", house),
        named("house-again", house, author="Ben"),
        named("tower", kite),
        named("kite-copied", kite, author="IBM"),
        named("boat", boat),
    ]
    found = drawn_catalogue(icons)
    assert sides(found) == {"anna:tower": False, "anna:house": False, "anna:boat": False, "ibm:house-own": True}
    assert found.seen == ("ibm:kite-copied",)
    assert {icon.name: int(label) for icon, label in zip(found.drawings.icons, found.label, strict=True)} == {
        "tower": OTHER,
        "house": 0,
        "boat": 3,
    }


def test_a_drawing_under_two_classes_is_neithers() -> None:
    house, kite = FILLED.format(SHAPES["house"]), FILLED.format(SHAPES["kite"])
    icons = [named("house", house), named("boat", house, author="Ben"), named("kite", kite), named("tower", kite)]
    assert set(sides(drawn_catalogue(icons))) == {"anna:kite", "anna:tower"}


def test_pictures_are_left_out_by_name() -> None:
    icons = [named(name, FILLED.format(points)) for name, points in SHAPES.items()]
    found = drawn_catalogue(icons, left_out=("anna:kite", "anna:tree"))
    assert set(sides(found)) == {"anna:house", "anna:flag", "anna:boat"}


def test_the_order_is_that_of_classes_and_no_authors() -> None:
    icons = [
        named(f"{name}-{number}", FRAME.format(squeezed(points, 1 - 0.15 * number)), author=author)
        for number, author in enumerate(("Anna", "Ben", "Carla", "Dora"))
        for name, points in SHAPES.items()
    ]
    found, again = drawn_catalogue(icons), drawn_catalogue(icons[::-1])
    labels = found.label.tolist()
    assert labels == sorted(labels)
    assert [icon.image_id for icon in found.drawings.icons] == [icon.image_id for icon in again.drawings.icons]
    last = {found.drawings.icons[labels.index(label) + labels.count(label) - 1].origin.author for label in set(labels)}
    assert len(last) > 1


def test_classes_with_too_few_pictures_are_named_with_what_there_is(tmp_path: Path) -> None:
    found = drawn_catalogue([named("house", FILLED.format(SHAPES["house"]))])
    with pytest.raises(
        InputError, match=r"fewer than 1 training or test icons: 'house' \(1 training, 0 test\), 'kite'"
    ):
        verify_counts(found, CLASSES, at_least=1)


def test_a_name_that_no_icon_bears_is_named_with_the_nearest(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("workflow_scripts.real_images.icons.catalogue._COMMON", 4)
    package = small_package(tmp_path)
    with pytest.raises(InputError, match=r"^no icon is called 'hause' \(near it: house\), 'zebra' \(no other"):
        read_icons(package, {"house", "zebra", "hause"}, test_authors=(), other_names=False)


def test_an_entry_that_is_no_icon_is_named(tmp_path: Path) -> None:
    package = small_package(tmp_path)
    path = package / "json/s1.json"
    content = json.loads(path.read_text())
    content["icons"]["kite-fill"] = None
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"s1\.json: 'kite-fill' is no icon; run `make data`"):
        read_icons(package, set(CLASSES), test_authors=(), other_names=False)


def test_other_names_are_wanted_of_training_authors_only(tmp_path: Path) -> None:
    sets = {
        "a": icon_set(author="Anna", icons={"house": "<path/>", "tower": "<path/>"}),
        "b": icon_set(author="IBM", icons={"house": "<path/>", "tower": "<path/>"}),
    }
    package = write_package(tmp_path, sets)
    names = {
        other: [icon.image_id for icon in read_icons(package, {"house"}, test_authors={"IBM"}, other_names=other)]
        for other in (False, True)
    }
    assert names == {False: ["a:house", "b:house"], True: ["a:house", "a:tower", "b:house"]}


# --- the kind of data set --------------------------------------------------------------------------------------------


def icons_in(package: Path, **further: Any) -> Icons:
    return Icons(kind="icons", folder=str(package), **{"at_least": 1, **further})


def options(**values: Any) -> Any:
    return type("Options", (), {"threads": 1, "kind": "icons", **values})()


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Icons, Path, Path]:
    """Return the settings, the classes and the table of the small package's pictures."""
    folder = tmp_path_factory.mktemp("icons")
    images = icons_in(small_package(folder / "package"), other_names=True)
    classes = folder / "classes.json"
    classes.write_text(json.dumps(CLASSES[:3]))
    settings = preparation_job(images=images.what_is_prepared(), listing="")
    prepare_real_images.job(options(settings=settings.canonical(), classes=classes, output=folder / "prepared.parquet"))
    return images, classes, folder / "prepared.parquet"


def test_the_table_has_every_picture_with_its_author_and_licence(prepared: tuple[Icons, Path, Path]) -> None:
    path = prepared[2]
    trained, tested = (read_prepared(path, source=source) for source in ("real-train", "real-test"))
    assert Counter(zip(trained["domain"].to_pylist(), trained["name"].to_pylist(), strict=True)) == {
        (style, name): 3 for style in ("outline", "solid", "shaded") for name in CLASSES
    }
    assert Counter(zip(tested["domain"].to_pylist(), tested["name"].to_pylist(), strict=True)) == {
        (style, name): 1 for style in STYLES for name in CLASSES[:3]
    }
    assert set(trained["author"].to_pylist()) == {"Anna", "Ben", "Carla"}
    assert set(tested["author"].to_pylist()) == {"IBM"}
    assert set(tested["license"].to_pylist()) == {"MIT"}
    assert set(tested["collection"].to_pylist()) == {"Set of IBM"}
    labels = set(zip(trained["name"].to_pylist(), trained["label"].to_pylist(), strict=True))
    assert labels == {("house", 0), ("kite", 1), ("flag", 2), ("boat", OTHER)}
    assert decode_rgb(trained["image"][0].as_py(), name="first").size == (32, 32)
    with pytest.raises(InputError, match="no real-train picture in domain 'colour'"):
        read_prepared(path, source="real-train", domain="colour")


def test_test_pictures_that_a_training_has_seen_are_listed(tmp_path: Path) -> None:
    boat = FILLED.format(SHAPES["boat"])
    sets = {
        "a": icon_set(author="Anna", icons={"tower": boat, **{n: FILLED.format(SHAPES[n]) for n in ("house", "kite")}}),
        "b": icon_set(
            author="IBM",
            icons={"kite": boat, **{f"{n}-line": FRAME.format(squeezed(SHAPES[n], 0.7)) for n in ("house", "kite")}},
            suffixes={"line": "Line"},
        ),
    }
    images = icons_in(write_package(tmp_path / "package", sets), other_names=True, styles=("solid", "outline"))
    (tmp_path / "classes.json").write_text('["house", "kite"]')
    settings = preparation_job(images=images.what_is_prepared(), listing="")
    prepare_real_images.job(
        options(settings=settings.canonical(), classes=tmp_path / "classes.json", output=tmp_path / "p.parquet")
    )
    list_seen.job(options(prepared=tmp_path / "p.parquet", output=tmp_path / "seen.txt"))
    assert (tmp_path / "seen.txt").read_text() == "b:kite\n"
    assert icons_in(tmp_path, left_out=str(tmp_path / "seen.txt"))._ids_left_out() == {"b:kite"}


def test_shards_are_cut_from_the_table_and_name_whose_the_pictures_are(
    prepared: tuple[Icons, Path, Path], tmp_path: Path
) -> None:
    images, classes, path = prepared
    rows = []
    for shard in range(2):
        settings = real_shard_job(
            dataset="icons", images=images.restricted_to("real-test", "shaded").model_copy(update={"shards": 2}),
            source="real-test", domain="shaded", shard=shard,
        )  # fmt: skip
        output = tmp_path / f"{shard}.parquet"
        convert_real_images.job(options(settings=settings.canonical(), classes=classes, prepared=path, output=output))
        rows += read_parquet(output, what="shard").to_pylist()
    assert [(row["class_name"], row["label"], row["index"]) for row in rows] == [
        ("house", 0, 0), ("kite", 1, 0), ("flag", 2, 0)
    ]  # fmt: skip
    assert {row["image_id"] for row in rows} == {f"s3:{name}-duotone" for name in CLASSES[:3]}
    assert {(row["collection"], row["author"], row["license"]) for row in rows} == {("Set of IBM", "IBM", "MIT")}


def test_training_pictures_have_no_colour() -> None:
    assert Icons(kind="icons").domains_of("real-train") == ("outline", "solid", "shaded")
    assert Icons(kind="icons").domains_of("real-test") == STYLES


def test_shards_and_styles_prepare_nothing_again_and_size_and_authors_do(tmp_path: Path) -> None:
    images = icons_in(tmp_path)
    same = images.model_copy(update={"shards": 3, "styles": ("solid",)})
    assert same.what_is_prepared() == images.what_is_prepared()
    for change in ({"size": 64}, {"test_authors": ("Anna",)}, {"other_names": True}, {"at_least": 3}):
        assert images.model_copy(update=change).what_is_prepared() != images.what_is_prepared()


def test_another_list_or_package_is_another_digest(tmp_path: Path) -> None:
    package, out = small_package(tmp_path / "package"), tmp_path / "out.txt"
    out.write_text("s3:house-fill\n")
    digests = [
        icons_in(package).files_digest("real-test", ""),
        icons_in(package, left_out=str(out)).files_digest("real-test", ""),
    ]
    path = package / "json" / "s1.json"
    path.write_text(path.read_text() + " ")
    digests.append(icons_in(package).files_digest("real-test", ""))
    assert len(set(digests)) == 3


def test_what_is_wrong_before_any_job_is_said_in_a_line_each(tmp_path: Path) -> None:
    images = icons_in(tmp_path / "nothing", left_out=str(tmp_path / "missing.txt"))
    errors = dict(images.path_errors(("alarm clock", "alarm-clock", "kite")))
    assert set(errors) == {"folder", "left_out", "kind"}
    assert errors["kind"] == "the classes 'alarm clock' and 'alarm-clock' are one icon; leave one out"
    assert "missing.txt: not readable" in errors["left_out"]
    package = small_package(tmp_path / "package")
    assert not list(icons_in(package).path_errors(CLASSES))
    text = tmp_path / "text.txt"
    text.write_text("s0:house\n\n# a word\n")
    wrong = icons_in(package, test_authors=("IBM", "Ana", "Nobody"), left_out=str(text))
    assert list(wrong.path_errors(CLASSES)) == [
        ("left_out", f"{text}: '# a word' is no icon; write one per line, as in mdi:umbrella"),
        ("test_authors", "no set is by 'Ana' (near it: Anna)"),
        ("test_authors", "no set is by 'Nobody' (none is called nearly so)"),
    ]


def test_a_style_stands_once() -> None:
    with pytest.raises(ValueError, match="a style occurs twice"):
        Icons(kind="icons", styles=("solid", "solid"))


# --- how the package is fetched --------------------------------------------------------------------------------------


def archive_of(package: Path, path: Path) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        archive.add(package, arcname="package")
    return path


def test_an_archive_that_is_not_the_one_is_refused_and_every_source_says_why(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    archive = archive_of(small_package(tmp_path / "package"), tmp_path / "other.tgz")
    monkeypatch.setattr(installing, "ADDRESSES", (archive.as_uri(), (tmp_path / "gone.tgz").as_uri()))
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(InputError) as caught:
        installing.install(tmp_path / "target")
    message = str(caught.value)
    assert message.startswith("npm's @iconify/json 2.2.535 cannot be had (npm: not installed; ")
    assert "gave another archive, or one that is cut short" in message
    assert "No such file or directory" in message
    assert message.endswith("or take the preset presets/fashion-mnist.yaml")
    assert not [path for path in tmp_path.iterdir() if path.name not in ("package", "other.tgz")]


def test_the_right_archive_is_unpacked_without_what_is_not_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    package = small_package(tmp_path / "package")
    (package / "json" / "unused.json").write_text("{}")
    archive = archive_of(package, tmp_path / "right.tgz")
    monkeypatch.setattr(installing, "ADDRESSES", (archive.as_uri(),))
    monkeypatch.setattr("shutil.which", lambda _: None)
    monkeypatch.setattr(installing, "verify", lambda _: None)
    (tmp_path / "target").mkdir()
    installing.install(tmp_path / "target")
    assert sorted(path.name for path in (tmp_path / "target" / "json").iterdir()) == [f"s{n}.json" for n in range(4)]
    assert not errors_of(package_folder, tmp_path / "target")


def test_a_folder_of_somebody_elses_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="holds something else; name another folder"):
        installing.install(tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_a_digest_is_compared(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "archive"
    path.write_bytes(b"nameonly")
    with pytest.raises(InputError, match="another archive"):
        installing.verify(path)
    monkeypatch.setattr(
        installing,
        "INTEGRITY",
        "mIJ7CvC0Jv2MlvnBBuA7ojr1QTCIHtqzjqSNnhM1rNVSn6Ql0XW8sXNpzjUk3P9OxY3HPVn6Wp/Vq1QGPO1BhA==",
    )
    with pytest.raises(InputError, match="another archive"):
        installing.verify(path)


# --- the real package ------------------------------------------------------------------------------------------------

REAL = not errors_of(package_folder, None)


@pytest.mark.skipif(not REAL, reason="npm's @iconify/json is not here: run `make data`")
def test_the_real_package_has_the_sets_and_names_that_the_docs_say() -> None:
    package = package_folder(None)
    sets = icon_sets(package)
    assert len(sets) == 124
    assert len({origin.author for origin in sets.values()}) == 99
    assert {origin.author for origin in sets.values()} >= set(TEST_AUTHORS)
    icons = [icon for origin in sets.values() for icon in icons_of(package, origin)]
    counts = Counter(icon.name for icon in icons)
    assert (len(icons), len(counts)) == (214_922, 51_009)
    assert {name: counts[name] for name in ("umbrella", "rocket", "cat", "puzzle piece")} == {
        "umbrella": 108, "rocket": 125, "cat": 40, "puzzle piece": 35
    }  # fmt: skip
