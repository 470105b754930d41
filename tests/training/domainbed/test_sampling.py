"""DomainBed's protocol: balanced batches, augmentation, phases."""

import pytest
import torch

from tests.training.tiny import tiny_images
from workflow_scripts.common.errors import InputError
from workflow_scripts.training.domainbed.sampling import augmented, domain_batches, phase_schedule
from workflow_scripts.training.domainbed.settings import Augmentation, Phase


def test_every_batch_holds_as_many_images_of_each_domain() -> None:
    domains = torch.tensor([0] * 50 + [1] * 3 + [2] * 20)
    batches = domain_batches(domains, count=3, per_domain=4, steps=5, seed=0, interval=2)
    assert [len(batch) for batch in batches] == [12] * 5
    for batch in batches:
        assert domains[batch].tolist() == [0] * 4 + [1] * 4 + [2] * 4
    again = domain_batches(domains, count=3, per_domain=4, steps=5, seed=0, interval=2)
    assert torch.equal(torch.stack(batches), torch.stack(again))
    other = domain_batches(domains, count=3, per_domain=4, steps=5, seed=0, interval=3)
    assert not torch.equal(torch.stack(batches), torch.stack(other))


def test_an_empty_domain_is_an_error() -> None:
    with pytest.raises(InputError, match="domain number 1 has no training image"):
        domain_batches(torch.tensor([0, 0]), count=2, per_domain=4, steps=1, seed=0, interval=0)


def test_augmentation_changes_images_and_repeats_itself() -> None:
    images = torch.rand(4, 3, 8, 8)
    made = []
    for _ in range(2):
        torch.manual_seed(3)
        made.append(augmented(images, Augmentation(), generator=torch.Generator().manual_seed(1)))
    assert torch.equal(made[0], made[1])
    assert not torch.allclose(made[0], images)
    assert made[0].min() >= 0
    assert made[0].max() <= 1
    assert torch.equal(augmented(images, None, generator=torch.Generator()), images)
    only_flip = Augmentation(min_crop_scale=1.0, flip=True, color_jitter=0.0, grayscale=0.0)
    flipped = augmented(images, only_flip, generator=torch.Generator().manual_seed(0))
    for before, after in zip(images, flipped, strict=True):
        assert torch.equal(after, before) or torch.equal(after, before.flip(-1))


def test_a_phase_is_cut_into_validation_intervals() -> None:
    phase = Phase(steps=25, validate_every=10)
    schedule = phase_schedule(phase, tiny_images(12), per_domain=3, seed=0, name="align")
    assert schedule.intervals == 3
    assert [len(schedule.batches(interval)) for interval in range(3)] == [10, 10, 5]
    assert schedule.learning_rate(2, 24) == 5e-5
