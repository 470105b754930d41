"""Averages over one training's own weights: exponential moving average, uniform soup, best validation, SWAD.

All work on named parameters. Buffers (batch normalization's statistics) are never averaged: they stay the last ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from torch import Tensor

from workflow_scripts.common.weights import StateDict


class WeightAverager(Protocol):
    """Sees the weights along a training and gives those that the training ends with. Its state survives a resume."""

    def after_step(self, parameters: Mapping[str, Tensor]) -> None:
        """See the parameters after an optimizer step."""

    def after_validation(self, parameters: Mapping[str, Tensor], *, held_out_loss: float) -> None:
        """See the parameters and their loss on held-out training images."""

    def result(self) -> StateDict | None:
        """Return the average, or None where there is none: the last weights stand."""

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""

    def restore(self, state: dict[str, Any]) -> None:
        """Take up what a checkpoint kept."""


@dataclass
class RunningMean:
    """The uniform mean of all states it was given."""

    count: int = 0
    mean: StateDict = field(default_factory=dict)

    def add(self, parameters: Mapping[str, Tensor]) -> None:
        """Count one more state in."""
        self.count += 1
        for name, tensor in parameters.items():
            if name in self.mean:
                self.mean[name].lerp_(tensor.detach(), 1.0 / self.count)
            else:
                self.mean[name] = tensor.detach().clone()


@dataclass
class LastWeights:
    """No average at all."""

    def after_step(self, parameters: Mapping[str, Tensor]) -> None:
        """Nothing is kept."""

    def after_validation(self, parameters: Mapping[str, Tensor], *, held_out_loss: float) -> None:
        """Nothing is kept."""

    def result(self) -> StateDict | None:
        """Return None: the last weights stand."""
        return None

    def state(self) -> dict[str, Any]:
        """Return nothing."""
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Nothing was kept."""


@dataclass
class MovingAverage:
    """Exponential moving average over steps: m <- decay * m + (1 - decay) * theta, started at the first state."""

    decay: float
    mean: StateDict = field(default_factory=dict)

    def after_step(self, parameters: Mapping[str, Tensor]) -> None:
        """Move towards the parameters."""
        for name, tensor in parameters.items():
            if name in self.mean:
                self.mean[name].lerp_(tensor.detach(), 1.0 - self.decay)
            else:
                self.mean[name] = tensor.detach().clone()

    def after_validation(self, parameters: Mapping[str, Tensor], *, held_out_loss: float) -> None:
        """Validations do not matter."""

    def result(self) -> StateDict | None:
        """Return the average."""
        return self.mean or None

    def state(self) -> dict[str, Any]:
        """Return the average."""
        return {"mean": self.mean}

    def restore(self, state: dict[str, Any]) -> None:
        """Take up the average."""
        self.mean = state["mean"]


@dataclass
class UniformSoup:
    """Uniform soup: the mean of the weights at every validation."""

    mean: RunningMean = field(default_factory=RunningMean)

    def after_step(self, parameters: Mapping[str, Tensor]) -> None:
        """Steps do not matter."""

    def after_validation(self, parameters: Mapping[str, Tensor], *, held_out_loss: float) -> None:
        """Count the parameters in."""
        self.mean.add(parameters)

    def result(self) -> StateDict | None:
        """Return the mean."""
        return self.mean.mean or None

    def state(self) -> dict[str, Any]:
        """Return the mean and its count."""
        return {"count": self.mean.count, "mean": self.mean.mean}

    def restore(self, state: dict[str, Any]) -> None:
        """Take up the mean."""
        self.mean = RunningMean(state["count"], state["mean"])


@dataclass
class BestWeights:
    """The weights with the lowest loss on held-out training images; the first of equals. No test image is seen."""

    loss: float = float("inf")
    weights: StateDict = field(default_factory=dict)

    def after_step(self, parameters: Mapping[str, Tensor]) -> None:
        """Steps do not matter."""

    def after_validation(self, parameters: Mapping[str, Tensor], *, held_out_loss: float) -> None:
        """Keep the parameters if they are better."""
        if held_out_loss < self.loss:
            self.loss = held_out_loss
            self.weights = {name: tensor.detach().clone() for name, tensor in parameters.items()}

    def result(self) -> StateDict | None:
        """Return the best weights."""
        return self.weights or None

    def state(self) -> dict[str, Any]:
        """Return the best weights and their loss."""
        return {"loss": self.loss, "weights": self.weights}

    def restore(self, state: dict[str, Any]) -> None:
        """Take up the best weights."""
        self.loss, self.weights = state["loss"], state["weights"]
