"""SWAD (Cha et al., 2021): dense averaging of weights over the valley of the held-out loss.

Between two validations lies a segment; its weights are averaged over every step, and the held-out loss at its
end belongs to it. The valley begins at the segment that is the lowest of `n_converge` in a row and ends before the
first segment from which on `n_tolerance` in a row lie above the threshold. The result is the mean of the valley's
segments. Segments are reset at every validation: the standard algorithm (VL2V's release does so for ViT-B's second
stage only; elsewhere its flag is inverted).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from workflow_scripts.common.weights import StateDict
from workflow_scripts.ensembling.weight_averaging import RunningMean


@dataclass
class Segment:
    """The mean of the weights between two validations, and the held-out loss at its end."""

    mean: StateDict
    loss: float


@dataclass
class Swad:
    """The search for the valley. Constants of VL2V's release: 3 to converge, 6 to tolerate, ratio 0.3."""

    n_converge: int = 3
    n_tolerance: int = 6
    tolerance_ratio: float = 0.3
    running: RunningMean = field(default_factory=RunningMean)
    converging: list[Segment] = field(default_factory=list)
    waiting: list[Segment] = field(default_factory=list)
    valley: RunningMean | None = None
    threshold: float = float("inf")
    ended: bool = False

    def after_step(self, parameters: Mapping[str, Tensor]) -> None:
        """Count the parameters into the running segment."""
        if not self.ended:
            self.running.add(parameters)

    def after_validation(self, parameters: Mapping[str, Tensor], *, held_out_loss: float) -> None:
        """Close the running segment; see whether the valley begins, goes on, or ends."""
        if self.ended or not self.running.count:
            return
        segment = Segment(self.running.mean, held_out_loss)
        self.running = RunningMean()
        if self.valley is None:
            self._converge(segment)
        else:
            self._tolerate(segment)

    def _converge(self, segment: Segment) -> None:
        self.converging = [*self.converging, segment][-self.n_converge :]
        losses = [each.loss for each in self.converging]
        if len(losses) < self.n_converge or losses.index(min(losses)) != 0:
            return
        self.threshold = sum(losses) / len(losses) * (1.0 + self.tolerance_ratio)
        self.valley = RunningMean()
        self.valley.add(self.converging[0].mean)
        self.waiting = []
        for following in self.converging[1:]:
            self._tolerate(following)
        self.converging = []

    def _tolerate(self, segment: Segment) -> None:
        # A segment is counted in once `n_tolerance` losses from it on are known, if one of them is below.
        self.waiting.append(segment)
        if self.valley is None or len(self.waiting) < self.n_tolerance:
            return
        if min(each.loss for each in self.waiting) > self.threshold:
            self.ended = True
            self.waiting = []
            return
        self.valley.add(self.waiting.pop(0).mean)

    def result(self) -> StateDict | None:
        """Return the mean over the valley, or None if there is none: the last weights stand.

        The segments that still wait belong to it as long as one from them on lies below the threshold.
        """
        if self.valley is None:
            return None
        whole = RunningMean(self.valley.count, {name: tensor.clone() for name, tensor in self.valley.mean.items()})
        for number, segment in enumerate(self.waiting):
            if min(each.loss for each in self.waiting[number:]) > self.threshold:
                break
            whole.add(segment.mean)
        return whole.mean

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint keeps: plain values and tensors."""
        return {
            "running": vars(self.running),
            "converging": [vars(each) for each in self.converging],
            "waiting": [vars(each) for each in self.waiting],
            "valley": None if self.valley is None else vars(self.valley),
            "threshold": self.threshold,
            "ended": self.ended,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take up what a checkpoint kept."""
        self.running = RunningMean(**state["running"])
        self.converging = [Segment(**each) for each in state["converging"]]
        self.waiting = [Segment(**each) for each in state["waiting"]]
        self.valley = None if state["valley"] is None else RunningMean(**state["valley"])
        self.threshold, self.ended = state["threshold"], state["ended"]
