"""OGEN as a task of the training loop: context and generator are trained, both towers of CLIP are frozen."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from workflow_scripts.common.clip import Clip
from workflow_scripts.common.devices import autocast
from workflow_scripts.common.preprocessing import unit_pixels
from workflow_scripts.common.seeds import seed_of
from workflow_scripts.training.augmentation import random_flip, random_resized_crop
from workflow_scripts.training.image_selection import SeenImages
from workflow_scripts.training.loop import LogEntry, Schedule, epoch_batches, steps_per_epoch
from workflow_scripts.training.ogen.class_statistics import ClassStatistics
from workflow_scripts.training.ogen.generator import FeatureGenerator, nearest_base
from workflow_scripts.training.ogen.losses import (
    BASE_AS_UNKNOWN,
    NEW_CLASS,
    REAL,
    cross_entropy,
    distillation,
    epoch_rate,
    first_full_epoch,
    local_mean_teacher,
    noisy_means,
    reconstruction,
    released_loss,
    window,
)
from workflow_scripts.training.ogen.prompt_learner import PromptLearner
from workflow_scripts.training.ogen.settings import Ogen


class OgenModel(nn.Module):
    """All that OGEN trains: the prompt learner, and the generator, which is dropped after the training."""

    def __init__(self, learner: PromptLearner, generator: FeatureGenerator) -> None:
        """Take both."""
        super().__init__()
        self.learner = learner
        self.generator = generator


@dataclass
class OgenTask:
    """Prompt learning with or without generated features. `base_labels` and `new_labels` are sorted."""

    model: OgenModel
    clip: Clip
    settings: Ogen
    seed: int
    seen: SeenImages
    statistics: ClassStatistics
    base_labels: Tensor
    new_labels: Tensor
    device: torch.device
    contexts: list[Tensor] = field(default_factory=list)
    """The context before the training and after every epoch, as far back as the teacher looks."""
    teacher_text: Tensor | None = None

    def begin_interval(self, interval: int) -> None:
        """Put the generator into training mode and make this epoch's teacher; a validation interval is an epoch."""
        self.model.train()
        context = self.model.learner.context.detach().clone()
        self.contexts = [*self.contexts, context][-self.settings.window_max :]
        self.teacher_text = self._teacher(interval) if self.settings.variant == "published" else None

    @torch.no_grad()
    def _teacher(self, epoch: int) -> Tensor:
        settings = self.settings
        size = window(epoch, last=settings.epochs - 1, max_size=settings.window_max, min_size=settings.window_min)
        mean = local_mean_teacher(self.contexts, size=size, momentum=settings.teacher_momentum)
        return self.model.learner.encode(self.clip, mean)

    def loss(self, batch: Tensor, *, interval: int, step: int) -> tuple[Tensor, LogEntry]:
        """Return the variant's loss of a batch of augmented images; the generator alone is trained at first."""
        features = self._features(batch, step)
        rows = self.seen.rows(self.seen.training, batch).to(self.device)
        variant = self.settings.variant
        warmup = interval < first_full_epoch(self.settings.epochs, warmup=self.settings.generator_warmup)
        if variant != "none" and warmup:
            with torch.no_grad():
                text = self.model.learner.encode(self.clip)
        else:
            text = self.model.learner.encode(self.clip)
        base, new = text[self.base_labels], text[self.new_labels]
        real = cross_entropy(features, rows, base, scale=self.clip.scale)
        accuracy = float((features @ base.detach().T).argmax(dim=-1).eq(rows).float().mean())
        if variant == "none":
            return real, {"loss": float(real.detach()), "cross_entropy": float(real.detach()), "accuracy": accuracy}
        branches = self._published if variant == "published" else self._released
        whole, rebuilt = branches(features, rows, base, new, warmup=warmup)
        parts = {
            "loss": float(whole.detach()),
            "cross_entropy": float(real.detach()),
            "reconstruction": float(rebuilt.detach()),
            "accuracy": accuracy,
        }
        return whole, parts

    def _released(
        self, features: Tensor, rows: Tensor, base: Tensor, new: Tensor, *, warmup: bool
    ) -> tuple[Tensor, Tensor]:
        """Return the release's loss and its reconstruction part.

        Three branches: the image's own class from its neighbors' noisy means; its neighbors from the image; new classes
        near it from the image (queries carry gradient to the context). Neighbors among base classes are those of the
        image means; a noisy mean is mean plus uniform noise, drawn again for the target of the full loss.
        """
        count, scale = self.settings.neighbors, self.clip.scale
        fixed, own = base.detach(), base.detach()[rows][:, None]
        near = nearest_base(self.statistics.mean @ self.statistics.mean.T, count=count, itself=True)[rows]
        means = self._noisy(near)
        generated = self.model.generator(own, fixed[near], means)
        from_sample = self.model.generator(fixed[near], own, features[:, None])
        target = (means if warmup else self._noisy(near)).flatten(0, 1)
        rebuilt = reconstruction(generated, features) + reconstruction(from_sample, target)
        if warmup:
            return rebuilt, rebuilt
        near_new = nearest_base(fixed @ new.detach().T, count=count, itself=False)[rows]
        unseen = self.model.generator(new[near_new], own, features[:, None])
        whole = released_loss(
            generated_base=cross_entropy(generated, rows, base, scale=scale),
            from_sample=cross_entropy(from_sample, near.flatten(), base, scale=scale),
            new_class=cross_entropy(unseen, near_new.flatten(), new, scale=scale),
            real=cross_entropy(features, rows, base, scale=scale),
            rebuilt=rebuilt,
            neighbors=count,
        )
        return whole, rebuilt

    def _noisy(self, near: Tensor) -> Tensor:
        noise = torch.rand(1, self.statistics.mean.shape[-1], device=self.device)
        return noisy_means(self.statistics.mean[near], self.statistics.std[near], noise)

    def _published(
        self, features: Tensor, rows: Tensor, base: Tensor, new: Tensor, *, warmup: bool
    ) -> tuple[Tensor, Tensor]:
        """Return the paper's loss and its reconstruction part.

        Paper: joint extrapolation (a new class's text is the query; its k nearest base classes' texts are keys,
        a random exemplar of each the values), joint optimization over base and new classes, an adaptive local
        mean teacher. Code: the weights of the cross-entropies and of the reconstruction, and a base class taken as
        new to learn to reconstruct. Ours: neighbors by text similarity in both cases, one new class drawn per
        image, distillation as a divergence of probabilities over all classes.
        """
        count, scale = self.settings.neighbors, self.clip.scale
        fixed = base.detach()
        near = nearest_base(fixed @ fixed.T, count=count, itself=True)[rows]
        generated = self.model.generator(fixed[rows][:, None], fixed[near], self.statistics.exemplars(near))
        rebuilt = reconstruction(generated, features)
        if warmup:
            return rebuilt, rebuilt
        drawn = torch.randint(len(new), (len(rows),), device=self.device)
        near_new = nearest_base(new.detach() @ fixed.T, count=count, itself=False)[drawn]
        unseen = self.model.generator(new[drawn][:, None], fixed[near_new], self.statistics.exemplars(near_new))
        text = torch.cat([base, new])
        whole = (
            rebuilt
            + BASE_AS_UNKNOWN * cross_entropy(generated, rows, text, scale=scale)
            + NEW_CLASS * cross_entropy(unseen, len(base) + drawn, text, scale=scale)
            + REAL * cross_entropy(features, rows, text, scale=scale)
        )
        if self.teacher_text is not None and self.settings.distillation_weight:
            teacher = torch.cat([self.teacher_text[self.base_labels], self.teacher_text[self.new_labels]])
            matched = distillation(scale * features @ text.T, scale * features @ teacher.T)
            whole = whole + self.settings.distillation_weight * matched
        return whole, rebuilt

    @torch.no_grad()
    def _features(self, batch: Tensor, step: int) -> Tensor:
        pixels = unit_pixels(torch.from_numpy(self.seen.training.pixels[batch.numpy()]), self.device)
        generator = torch.Generator().manual_seed(seed_of("crop", self.seed, step))
        inputs = self.clip.preprocessing.normalize(pixels)
        inputs = random_resized_crop(inputs, min_scale=self.settings.min_crop_scale, generator=generator)
        if self.settings.flip:
            inputs = random_flip(inputs, generator=generator)
        return self._encode(inputs)

    def _encode(self, inputs: Tensor) -> Tensor:
        with autocast(self.device, self.settings.precision):
            features = self.clip.visual(inputs)
        return nn.functional.normalize(features.float(), dim=-1)

    @torch.no_grad()
    def classifier(self) -> Callable[[Tensor], Tensor]:
        """Return the classifier of the base classes as it stands."""
        base = self.model.learner.encode(self.clip)[self.base_labels]
        return lambda pictures: self.clip.scale * self._encode(self.clip.preprocessing.normalize(pictures)) @ base.T

    def state(self) -> dict[str, Any]:
        """Return the past contexts."""
        return {"contexts": self.contexts}

    def restore(self, state: dict[str, Any]) -> None:
        """Take up the past contexts."""
        self.contexts = state["contexts"]


def make_model(clip: Clip, classes: tuple[str, ...], settings: Ogen, *, seed: int) -> OgenModel:
    """Return context at its initial value and a fresh generator, whose weights come from the seed."""
    learner = PromptLearner(clip, classes, words=settings.context_words, context=settings.context)
    dimension = int(clip.model.visual.output_dim)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        generator = FeatureGenerator(dimension, heads=settings.attention_heads, dropout=settings.dropout)
    return OgenModel(learner, generator).to(clip.device)


def base_and_new_labels(classes: int, base: tuple[int, ...] | None) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the sorted labels of base and of new classes; where there is no such division, all are base."""
    base_labels = torch.arange(classes) if base is None else torch.tensor(sorted(base))
    return base_labels, torch.tensor(sorted(set(range(classes)) - set(base_labels.tolist())), dtype=torch.long)


def schedule_of(settings: Ogen, *, images: int, seed: int) -> Schedule:
    """Return OGEN's schedule: shuffled full batches, one learning rate per epoch, no clipping."""
    steps_per_epoch(images, settings.batch_size)
    return Schedule(
        intervals=settings.epochs,
        batches=lambda epoch: epoch_batches(images, settings.batch_size, seed=seed, epoch=epoch),
        learning_rate=lambda epoch, _: epoch_rate(
            epoch, base=settings.learning_rate, epochs=settings.epochs, warmup_rate=settings.warmup_rate
        ),
        gradient_clip=None,
        seed=seed,
    )
