"""OGEN's arithmetic: numeric checks of the method's sheet."""

import pytest
import torch

from workflow_scripts.common.errors import InputError
from workflow_scripts.training.ogen.generator import FeatureGenerator, nearest_base
from workflow_scripts.training.ogen.losses import (
    distillation,
    epoch_rate,
    first_full_epoch,
    local_mean_teacher,
    mean_and_deviation,
    noisy_means,
    reconstruction,
    released_loss,
    window,
)


def generator(dimension: int = 16, *, heads: int = 4) -> FeatureGenerator:
    torch.manual_seed(0)
    return FeatureGenerator(dimension, heads=heads, dropout=0.1).eval()


def test_with_one_key_the_attention_depends_on_the_value_alone() -> None:
    made = generator()
    value = torch.randn(5, 1, 16)
    first = made.attended(torch.randn(5, 3, 16), torch.randn(5, 1, 16), value)
    second = made.attended(torch.randn(5, 3, 16), torch.randn(5, 1, 16), value)
    torch.testing.assert_close(first, second, rtol=0.0, atol=1e-6)
    assert not torch.allclose(first, made.attended(torch.randn(5, 3, 16), torch.randn(5, 1, 16), 2 * value))


@pytest.mark.parametrize("dimension", [128, 512, 768, 1024])
def test_generated_features_have_unit_norm_in_any_dimension(dimension: int) -> None:
    made = generator(dimension)
    one, three = torch.randn(4, 1, dimension), torch.randn(4, 3, dimension)
    for features, shape in ((made(one, three, three), (4, dimension)), (made(three, one, one), (12, dimension))):
        assert features.shape == shape
        torch.testing.assert_close(features.norm(dim=-1), torch.ones(shape[0]), rtol=0.0, atol=1e-5)


def test_heads_must_divide_the_dimension() -> None:
    with pytest.raises(InputError, match="heads: 4 do not divide the embedding of length 6"):
        FeatureGenerator(6, heads=4, dropout=0.0)


def test_neighbors_exclude_the_class_itself_and_are_ordered() -> None:
    means = torch.tensor([[1.0, 0.0], [2.0, 0.1], [0.5, 1.0], [0.0, 3.0], [-1.0, 0.0]])
    near = nearest_base(means @ means.T, count=3, itself=True)
    # By dot products: row 0 has (2, 0.5, 0, -1) with the others, and so on.
    assert near.tolist() == [[1, 2, 3], [0, 2, 3], [3, 1, 0], [2, 1, 0], [3, 2, 0]]
    with pytest.raises(InputError, match="5 asked for, but a class has only 4 base others"):
        nearest_base(means @ means.T, count=5, itself=True)


def test_reconstruction_is_the_mean_squared_distance_per_row() -> None:
    first, second = torch.randn(7, 512), torch.randn(7, 512)
    expected = (first - second).square().sum(dim=1).mean()
    torch.testing.assert_close(reconstruction(first, second), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("epochs", "first"), [(10, 2), (50, 10), (200, 40), (3, 0)])
def test_the_generator_warms_up_for_a_fifth(epochs: int, first: int) -> None:
    assert first_full_epoch(epochs, warmup=0.2) == first


def test_learning_rates_of_ten_epochs() -> None:
    expected = [
        1e-5,
        2e-3,
        1.95106e-3,
        1.80902e-3,
        1.58779e-3,
        1.30902e-3,
        1e-3,
        6.9098e-4,
        4.1221e-4,
        1.9098e-4,
    ]
    rates = [epoch_rate(epoch, base=0.002, epochs=10, warmup_rate=1e-5) for epoch in range(10)]
    assert rates == pytest.approx(expected, rel=1e-4)


def test_loss_arithmetic_of_the_release() -> None:
    one, nothing = torch.tensor(1.0), torch.tensor(0.0)
    loss = released_loss(generated_base=one, from_sample=one, new_class=one, real=one, rebuilt=nothing, neighbors=3)
    assert loss.item() == pytest.approx(0.25 + 0.25 / 3 + 0.5 / 3 + 0.25, abs=1e-6)
    assert loss.item() == pytest.approx(0.75, abs=1e-6)


def test_the_teachers_window_shrinks() -> None:
    sizes = [window(epoch, last=9, max_size=9, min_size=2) for epoch in range(10)]
    assert sizes[0] == 9
    assert sizes[-1] == 2
    assert sizes == sorted(sizes, reverse=True)
    assert window(0, last=0, max_size=9, min_size=2) == 9


def test_the_teacher_averages_the_last_states_oldest_first() -> None:
    states = [torch.tensor([float(value)]) for value in (100, 1, 2)]
    mean = local_mean_teacher(states, size=2, momentum=0.9)
    assert mean.item() == pytest.approx(0.9 * 1 + 0.1 * 2)
    assert local_mean_teacher(states, size=9, momentum=0.5).item() == pytest.approx((50 + 0.5) / 2 + 1)
    assert states[1].item() == 1.0


def test_distillation_is_zero_between_equals_and_leaves_the_teacher_alone() -> None:
    student = torch.randn(4, 5, requires_grad=True)
    teacher = torch.randn(4, 5, requires_grad=True)
    assert distillation(student, student).item() == pytest.approx(0.0, abs=1e-6)
    loss = distillation(student, teacher)
    loss.backward()
    p, q = teacher.softmax(dim=-1), student.softmax(dim=-1)
    assert loss.item() == pytest.approx((p * (p / q).log()).sum(dim=-1).mean().item(), rel=1e-5)
    assert teacher.grad is None
    assert student.grad is not None


def test_class_statistics_of_features() -> None:
    features = torch.tensor([[1.0, 0.0], [3.0, 0.0], [5.0, 5.0]])
    mean, std = mean_and_deviation(features, torch.tensor([0, 0, 1]), classes=2)
    assert mean.tolist() == [[2.0, 0.0], [5.0, 5.0]]
    assert std.tolist() == [[1.0, 0.0], [0.0, 0.0]]
    noisy = noisy_means(mean, std, torch.tensor([[0.5, 0.5]]))
    assert noisy.tolist() == [[2.5, 0.0], [5.0, 5.0]]
