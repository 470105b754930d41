"""Settings: strict, frozen, canonical."""

import json

import pytest

from workflow_scripts.common.errors import InputError
from workflow_scripts.common.settings import Alpha, PathText, Settings
from workflow_scripts.models.settings import FolderCheckpoint
from workflow_scripts.prompts.settings import Descriptions
from workflow_scripts.real_images.kinds.fashion_mnist import FashionMnist
from workflow_scripts.real_images.kinds.folder import ImageFolders
from workflow_scripts.training.finetune.settings import Finetune


class Grid(Settings):
    alphas: tuple[Alpha, ...]


class Files(Settings):
    path: PathText


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"kind":"finetune","epohcs":3}', "epohcs: unknown key"),
        ('{"kind":"finetune","epochs":"3"}', r"epochs: Input should be a valid integer \(given: '3'\)"),
        ('{"kind":"finetune","epochs":0}', "epochs: Input should be greater than or equal to 1"),
        ('{"kind":"finetune","batch_size":1}', "batch_size: Input should be greater than or equal to 2"),
        ('{"kind":"finetune","learning_rate":NaN}', "learning_rate: "),
        ("{}", "kind: missing"),
    ],
)
def test_errors_name_key_and_value(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Finetune.parse(text)


@pytest.mark.parametrize("alpha", ["1.01", "0.5", "half", "-0.10", "1"])
def test_alphas_are_texts_between_zero_and_one(alpha: str) -> None:
    with pytest.raises(InputError, match=r"alphas\.0: "):
        Grid.parse(f'{{"alphas":["{alpha}"]}}')
    assert Grid.parse('{"alphas":["0.00","1.00","0.125"]}').alphas == ("0.00", "1.00", "0.125")


def test_canonical_json_is_sorted_and_tells_values_apart() -> None:
    one = Finetune(kind="finetune", variance_weight=0.16, covariance_weight=0.02)
    swapped = Finetune(kind="finetune", variance_weight=0.02, covariance_weight=0.16)
    assert one.canonical() != swapped.canonical()
    assert Finetune.parse(one.canonical()) == one
    assert one.canonical().index('"batch_size"') < one.canonical().index('"covariance_weight"')


def test_an_error_is_one_line_whatever_its_key_and_value_hold() -> None:
    hostile = json.dumps({"kind": "finetune", "a\nb": 1, "epochs": "x\x1b[31m\u202e\n" * 1000, "precision": ["\u2028"]})
    with pytest.raises(InputError) as caught:
        Finetune.parse(hostile)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 500


def test_long_settings_are_refused() -> None:
    class Long(Settings):
        text: str

    with pytest.raises(InputError, match="too long for a command line"):
        Long(text="x" * 70_000).canonical()


@pytest.mark.parametrize(
    ("given", "expanded"),
    [
        ("~", "/home/me"),
        ("~/models/clip", "/home/me/models/clip"),
        ("~nobody-here/clip", "~nobody-here/clip"),
        ("./a/~/b//c", "./a/~/b//c"),
    ],
)
def test_a_home_folder_is_put_into_paths(given: str, expanded: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert Files(path=given).path == expanded
    assert Files.parse(Files(path=given).canonical()).path == expanded


def test_every_setting_that_is_a_path_knows_the_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    images = ImageFolders(kind="folder", train={"photo": "~/train"}, test={"photo": "~/test"})
    assert (images.train, images.test) == ({"photo": "/home/me/train"}, {"photo": "/home/me/test"})
    assert FashionMnist(kind="fashion-mnist", folder="~/idx").folder == "/home/me/idx"
    assert FolderCheckpoint(kind="folder", path="~/clip").path == "/home/me/clip"
    assert Descriptions(kind="descriptions", file="~/d.json").file == "/home/me/d.json"
    monkeypatch.setenv("HOME", "/home/{me}")
    with pytest.raises(ValueError, match="Snakemake would read the braces"):
        Descriptions(kind="descriptions", file="~/d.json")
