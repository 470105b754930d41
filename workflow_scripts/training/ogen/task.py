"""OGEN as a task of the training loop: context and generator are trained, both towers of CLIP are frozen."""

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from workflow_scripts.ground.clip import Clip
from workflow_scripts.ground.devices import autocast
from workflow_scripts.ground.images import DecodedImages
from workflow_scripts.ground.preprocessing import unit_pixels
from workflow_scripts.ground.seeds import seed_of
from workflow_scripts.training.augmentation import random_flip, random_resized_crop
from workflow_scripts.training.loop import Record
from workflow_scripts.training.ogen.evidence import Evidence
from workflow_scripts.training.ogen.generator import FeatureGenerator, nearest_known
from workflow_scripts.training.ogen.losses import (
    BASE_AS_UNKNOWN,
    NEW_CLASS,
    REAL,
    cross_entropy,
    distillation,
    first_full_epoch,
    local_mean_teacher,
    noisy_means,
    reconstruction,
    released_loss,
    window,
)
from workflow_scripts.training.ogen.prompt_learner import PromptLearner
from workflow_scripts.training.ogen.settings import OgenJob


class OgenModel(nn.Module):
    """All that OGEN trains: the prompt learner, and the generator, which is dropped after the training."""

    def __init__(self, learner: PromptLearner, generator: FeatureGenerator) -> None:
        """Take both."""
        super().__init__()
        self.learner = learner
        self.generator = generator


@dataclass
class OgenTask:
    """Prompt learning with or without generated features. `known` and `new` are the labels of both halves."""

    model: OgenModel
    clip: Clip
    settings: OgenJob
    images: DecodedImages
    held_out: DecodedImages
    evidence: Evidence
    known: Tensor
    new: Tensor
    device: torch.device
    contexts: list[Tensor] = field(default_factory=list)
    """The context before the training and after every epoch, as far back as the teacher looks."""
    teacher_text: Tensor | None = None

    def begin_epoch(self, epoch: int) -> None:
        """Put the generator into training mode and make this epoch's teacher."""
        self.model.train()
        context = self.model.learner.context.detach().clone()
        self.contexts = [*self.contexts, context][-self.settings.window_most :]
        self.teacher_text = self._teacher(epoch) if self.settings.variant == "published" else None

    @torch.no_grad()
    def _teacher(self, epoch: int) -> Tensor:
        settings = self.settings
        size = window(epoch, last=settings.epochs - 1, most=settings.window_most, least=settings.window_least)
        mean = local_mean_teacher(self.contexts, size=size, momentum=settings.teacher_momentum)
        return self.model.learner.encode(self.clip, mean)

    def loss(self, batch: Tensor, *, epoch: int, step: int) -> tuple[Tensor, Record]:
        """Return the variant's loss of a batch of augmented images; the generator alone is trained at first."""
        features = self._features(batch, step)
        rows = self._rows(self.images, batch)
        variant = self.settings.variant
        warmup = epoch < first_full_epoch(self.settings.epochs, warmup=self.settings.generator_warmup)
        if variant != "none" and warmup:
            with torch.no_grad():
                text = self.model.learner.encode(self.clip)
        else:
            text = self.model.learner.encode(self.clip)
        base, new = text[self.known], text[self.new]
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

        Three branches: the image's own class from its neighbours' evidence; its neighbours from the image; new classes
        near it from the image (queries carry gradient to the context). Neighbours among known classes are those of the
        image means; evidence is mean plus uniform noise, drawn again for the target of the full loss.
        """
        count, scale = self.settings.neighbours, self.clip.scale
        fixed, own = base.detach(), base.detach()[rows][:, None]
        near = nearest_known(self.evidence.mean @ self.evidence.mean.T, count=count, itself=True)[rows]
        evidence = self._noisy(near)
        generated = self.model.generator(own, fixed[near], evidence)
        from_sample = self.model.generator(fixed[near], own, features[:, None])
        target = (evidence if warmup else self._noisy(near)).flatten(0, 1)
        rebuilt = reconstruction(generated, features) + reconstruction(from_sample, target)
        if warmup:
            return rebuilt, rebuilt
        near_new = nearest_known(fixed @ new.detach().T, count=count, itself=False)[rows]
        unseen = self.model.generator(new[near_new], own, features[:, None])
        whole = released_loss(
            generated_base=cross_entropy(generated, rows, base, scale=scale),
            from_sample=cross_entropy(from_sample, near.flatten(), base, scale=scale),
            new_class=cross_entropy(unseen, near_new.flatten(), new, scale=scale),
            real=cross_entropy(features, rows, base, scale=scale),
            rebuilt=rebuilt,
            neighbours=count,
        )
        return whole, rebuilt

    def _noisy(self, near: Tensor) -> Tensor:
        noise = torch.rand(1, self.evidence.mean.shape[-1], device=self.device)
        return noisy_means(self.evidence.mean[near], self.evidence.std[near], noise)

    def _published(
        self, features: Tensor, rows: Tensor, base: Tensor, new: Tensor, *, warmup: bool
    ) -> tuple[Tensor, Tensor]:
        """Return the paper's loss and its reconstruction part.

        Paper: joint extrapolation (an unknown class's text is the query; its k nearest known classes' texts are keys,
        a random exemplar of each the values), joint optimisation over known and unknown classes, an adaptive local
        mean teacher. Code: the weights of the cross-entropies and of the reconstruction, and a known class taken as
        unknown to learn to reconstruct. Ours: neighbours by text similarity in both cases, one new class drawn per
        image, distillation as a divergence of probabilities over all classes.
        """
        count, scale = self.settings.neighbours, self.clip.scale
        fixed = base.detach()
        near = nearest_known(fixed @ fixed.T, count=count, itself=True)[rows]
        generated = self.model.generator(fixed[rows][:, None], fixed[near], self.evidence.exemplars(near))
        rebuilt = reconstruction(generated, features)
        if warmup:
            return rebuilt, rebuilt
        drawn = torch.randint(len(new), (len(rows),), device=self.device)
        near_new = nearest_known(new.detach() @ fixed.T, count=count, itself=False)[drawn]
        unseen = self.model.generator(new[drawn][:, None], fixed[near_new], self.evidence.exemplars(near_new))
        text = torch.cat([base, new])
        whole = (
            rebuilt
            + BASE_AS_UNKNOWN * cross_entropy(generated, rows, text, scale=scale)
            + NEW_CLASS * cross_entropy(unseen, len(base) + drawn, text, scale=scale)
            + REAL * cross_entropy(features, rows, text, scale=scale)
        )
        if self.teacher_text is not None and self.settings.distillation_weight:
            teacher = torch.cat([self.teacher_text[self.known], self.teacher_text[self.new]])
            matched = distillation(scale * features @ text.T, scale * features @ teacher.T)
            whole = whole + self.settings.distillation_weight * matched
        return whole, rebuilt

    @torch.no_grad()
    def _features(self, batch: Tensor, step: int) -> Tensor:
        pixels = unit_pixels(torch.from_numpy(self.images.pixels[batch.numpy()]), self.device)
        generator = torch.Generator().manual_seed(seed_of("crop", self.settings.seed, step))
        inputs = self.clip.preprocessing.normalise(pixels)
        inputs = random_resized_crop(inputs, smallest=self.settings.smallest_crop, generator=generator)
        if self.settings.flip:
            inputs = random_flip(inputs, generator=generator)
        return self._encode(inputs)

    def _encode(self, inputs: Tensor) -> Tensor:
        with autocast(self.device, self.settings.precision):
            features = self.clip.visual(inputs)
        return nn.functional.normalize(features.float(), dim=-1)

    def _rows(self, images: DecodedImages, numbers: Tensor) -> Tensor:
        labels = torch.from_numpy(images.labels[numbers.numpy()]).to(self.device)
        return torch.searchsorted(self.known, labels)

    @torch.no_grad()
    def check(self) -> Record:
        """Return cross-entropy and accuracy on the held-out images of the known classes."""
        base = self.model.learner.encode(self.clip)[self.known]
        losses, hits = 0.0, 0
        for numbers in torch.arange(len(self.held_out)).split(256):
            pixels = unit_pixels(torch.from_numpy(self.held_out.pixels[numbers.numpy()]), self.device)
            logits = self.clip.scale * self._encode(self.clip.preprocessing.normalise(pixels)) @ base.T
            rows = self._rows(self.held_out, numbers)
            losses += float(nn.functional.cross_entropy(logits, rows, reduction="sum"))
            hits += int((logits.argmax(dim=-1) == rows).sum())
        return {"held_out_loss": losses / len(self.held_out), "held_out_accuracy": hits / len(self.held_out)}

    def state(self) -> Record:
        """Return the past contexts."""
        return {"contexts": self.contexts}

    def restore(self, state: Record) -> None:
        """Take up the past contexts."""
        self.contexts = state["contexts"]
