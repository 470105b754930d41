"""Settings: strict, frozen, canonical."""

import json

import pytest

from workflow_scripts.common.errors import InputError
from workflow_scripts.common.settings import Alpha, Settings
from workflow_scripts.training.finetune_settings import Finetune


class Grid(Settings):
    alphas: tuple[Alpha, ...]


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
