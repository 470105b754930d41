"""What OGEN trains and what it leaves alone, in every variant."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from tests.training.tiny import CLASSES, CPU, bits, tiny_clip, tiny_seen
from workflow_scripts.common.clip import Clip
from workflow_scripts.common.errors import InputError
from workflow_scripts.models.vocabulary import corpus_tokenizer
from workflow_scripts.training.ogen.class_statistics import ClassStatistics, class_statistics
from workflow_scripts.training.ogen.prompt_learner import PromptLearner, context_length
from workflow_scripts.training.ogen.settings import Ogen
from workflow_scripts.training.ogen.task import OgenTask, base_and_new_labels, make_model

BASE = (0, 1, 2)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    return tiny_clip(tmp_path_factory.mktemp("clip"))


def task(clip: Clip, **changes: Any) -> OgenTask:
    values: dict[str, Any] = {"kind": "ogen", "neighbors": 2, "batch_size": 6, **changes}
    settings, seen = Ogen(**values), tiny_seen(base=BASE)
    with torch.no_grad():
        noise = torch.randn(12, 16, generator=torch.Generator().manual_seed(0))
        features = torch.nn.functional.normalize(noise, dim=-1)
    statistics = class_statistics(features, torch.from_numpy(seen.training.labels), classes=CLASSES[:3], device=CPU)
    base_labels, new_labels = base_and_new_labels(len(CLASSES), BASE)
    return OgenTask(
        model=make_model(clip, CLASSES, settings, seed=0),
        clip=clip,
        settings=settings,
        seed=0,
        seen=seen,
        statistics=statistics,
        base_labels=base_labels,
        new_labels=new_labels,
        device=CPU,
    )


def gradients(made: OgenTask, *, epoch: int) -> tuple[torch.Tensor | None, list[torch.Tensor | None]]:
    made.begin_interval(epoch)
    loss, _ = made.loss(torch.arange(6), interval=epoch, step=0)
    loss.backward()
    return made.model.learner.context.grad, [each.grad for each in made.model.generator.parameters()]


@pytest.mark.parametrize("variant", ["published", "released"])
def test_the_warm_up_trains_the_generator_alone(clip: Clip, variant: str) -> None:
    context, generator = gradients(task(clip, variant=variant, epochs=10), epoch=1)
    assert context is None
    assert all(grad is not None and grad.abs().sum() > 0 for grad in generator)


@pytest.mark.parametrize("context", ["shared", "class-specific"])
@pytest.mark.parametrize("variant", ["published", "released"])
def test_the_full_loss_trains_context_and_generator_and_no_tower(clip: Clip, variant: str, context: str) -> None:
    made = task(clip, variant=variant, epochs=10, context=context)
    gradient, generator = gradients(made, epoch=2)
    assert gradient is not None
    assert gradient.abs().sum() > 0
    assert all(grad is not None and grad.abs().sum() > 0 for grad in generator)
    assert all(parameter.grad is None for parameter in clip.model.parameters())


def test_new_classes_own_context_moves_through_the_generator_alone(clip: Clip) -> None:
    gradient, _ = gradients(task(clip, variant="published", context="class-specific"), epoch=9)
    assert gradient is not None
    assert (gradient[3:].abs().sum(dim=(1, 2)) > 0).any()
    gradient, _ = gradients(task(clip, variant="none", context="class-specific"), epoch=9)
    assert gradient is not None
    assert gradient[3:].abs().sum() == 0


def test_prompt_learning_alone_is_cross_entropy_over_base_classes(clip: Clip) -> None:
    made = task(clip, variant="none", min_crop_scale=1.0, flip=False)
    made.begin_interval(0)
    loss, _ = made.loss(torch.arange(6), interval=0, step=0)
    pixels = torch.from_numpy(made.seen.training.pixels[:6]).permute(0, 3, 1, 2).float() / 255
    features = torch.nn.functional.normalize(clip.visual(clip.preprocessing.normalize(pixels)), dim=-1)
    text = clip.encode_texts([f"a photo of a {name}." for name in CLASSES[:3]])
    expected = torch.nn.functional.cross_entropy(clip.scale * features @ text.T, torch.arange(6) % 3)
    torch.testing.assert_close(loss, expected)


def test_a_step_moves_no_bit_of_the_towers(clip: Clip) -> None:
    before = bits(clip.model)
    made = task(clip, variant="published")
    optimizer = torch.optim.SGD(made.model.parameters(), lr=0.1, weight_decay=0.1)
    start = made.model.learner.context.detach().clone()
    for epoch in (0, 9):
        made.begin_interval(epoch)
        loss, _ = made.loss(torch.arange(6), interval=epoch, step=epoch)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        assert torch.equal(made.model.learner.context, start) == (epoch == 0)
    assert bits(clip.model) == before


def test_the_teacher_weighs_only_where_it_is_asked_for(clip: Clip) -> None:
    losses = {}
    for weight in (0.0, 1.0):
        made = task(clip, variant="published", distillation_weight=weight)
        made.begin_interval(0)
        # A shift that all dimensions share would be taken out by layer normalization.
        with torch.no_grad():
            made.model.learner.context.neg_()
        torch.manual_seed(0)
        losses[weight] = made.loss(torch.arange(6), interval=9, step=0)[0].item()
    assert losses[1.0] > losses[0.0] + 1e-4


def test_the_initial_context_gives_the_zero_shot_sentences(clip: Clip) -> None:
    expected = clip.encode_texts([f"a photo of a {name}." for name in CLASSES])
    for context in ("shared", "class-specific"):
        learner = PromptLearner(clip, CLASSES, words="a photo of a", context=context)
        torch.testing.assert_close(learner.encode(clip), expected, rtol=0.0, atol=1e-6)
    assert learner.context.shape == (6, 4, 16)


def test_a_name_that_does_not_fit_is_named(clip: Clip) -> None:
    with pytest.raises(InputError, match=r"class 'cat cat .*tokens with its context, the text tower reads 14"):
        PromptLearner(clip, ["dog", "cat " * 12], words="a photo of a", context="shared")


def statistics_of(rows: list[int]) -> ClassStatistics:
    features = torch.arange(float(len(rows)))[:, None]
    return class_statistics(features, torch.tensor(rows), classes=CLASSES[:3], device=CPU)


def test_a_tokenizer_that_pads_with_the_end_is_counted_right(clip: Clip) -> None:
    tokenizer = corpus_tokenizer([f"an icon of a {name}." for name in CLASSES], context_length=16)

    def tokens(texts: list[str]) -> torch.Tensor:
        ids: torch.Tensor = tokenizer(texts, padding="max_length", max_length=16, return_tensors="pt").input_ids
        return ids

    padded = replace(clip, tokenizer=tokens)
    assert (tokens(["a cat"])[0] != 0).sum() == 16
    assert context_length(padded, "an icon of a") == context_length(clip, "an icon of a") == 4
    learner = PromptLearner(padded, CLASSES, words="an icon of a", context="shared")
    assert learner.context.shape == (4, 16)
    with pytest.raises(InputError, match=r"class 'cat cat .*: 17 tokens with its context, the text tower reads 14"):
        PromptLearner(padded, ["cat " * 12], words="an icon of a", context="shared")


def test_exemplars_come_from_the_class_that_is_asked_for() -> None:
    drawn = statistics_of([1, 0, 1, 2, 0, 1]).exemplars(torch.tensor([[0, 1, 2]] * 50))[..., 0]
    assert set(drawn[:, 0].tolist()) == {1.0, 4.0}
    assert set(drawn[:, 1].tolist()) == {0.0, 2.0, 5.0}
    assert set(drawn[:, 2].tolist()) == {3.0}


def test_class_statistics_are_those_of_each_class() -> None:
    statistics = statistics_of([1, 0, 1, 2, 0, 1])
    assert statistics.mean[:, 0].tolist() == pytest.approx([2.5, 7 / 3, 3.0])
    assert statistics.std[:, 0].tolist() == pytest.approx([1.5, (38 / 9) ** 0.5, 0.0], abs=1e-6)


def test_a_class_without_images_is_named() -> None:
    with pytest.raises(InputError, match="no training image of class 'dog'"):
        statistics_of([0, 0, 2])


def test_without_base_classes_all_are_base() -> None:
    base_labels, new_labels = base_and_new_labels(4, None)
    assert base_labels.tolist() == [0, 1, 2, 3]
    assert new_labels.tolist() == []
