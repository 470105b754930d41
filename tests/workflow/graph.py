"""The workflow's graph as its authors mean it: which rules follow which. Written by hand, to be compared with."""

FOLLOWS: dict[str, set[str]] = {
    "write_class_names": {"write_generation_prompts", "write_head_prompts", "convert_real_images"},
    "write_generation_prompts": {"generate_images"},
    "write_head_prompts": {"build_zero_shot_head"},
    "convert_real_images": {"collect_real_images"},
    "collect_real_images": {
        "pretrain_clip",
        "pretrain_autoencoder",
        "pretrain_text_to_image",
        "pretrain_student",
        "train_finetune",
        "score_images",
        "draw_figures",
        "write_page",
    },
    "pretrain_clip": {
        "pretrain_text_to_image",
        "build_zero_shot_head",
        "train_finetune",
        "embed_images",
        "train_ogen",
        "train_vl2v_sd",
        "train_vl2v_adip",
        "export_model",
        "score_images",
        "write_page",
    },
    "pretrain_autoencoder": {"pretrain_text_to_image"},
    "pretrain_text_to_image": {"generate_images", "write_page"},
    "pretrain_student": {"train_vl2v_adip", "train_erm", "write_page"},
    "generate_images": {"collect_generated_images"},
    "collect_generated_images": {
        "train_finetune",
        "embed_images",
        "train_ogen",
        "train_vl2v_sd",
        "train_vl2v_adip",
        "train_erm",
        "score_images",
        "draw_figures",
        "write_page",
    },
    "build_zero_shot_head": {"train_finetune", "train_vl2v_sd", "train_vl2v_adip", "score_images", "write_page"},
    "train_finetune": {"score_images", "export_model", "draw_figures", "write_page"},
    "embed_images": {"train_ogen", "train_vl2v_adip"},
    "train_ogen": {"score_images", "export_model", "draw_figures", "write_page"},
    "train_vl2v_sd": {"score_images", "export_model", "draw_figures", "write_page"},
    "train_vl2v_adip": {"score_images", "draw_figures", "write_page"},
    "train_erm": {"score_images", "draw_figures", "write_page"},
    "export_model": set(),
    "score_images": {"compute_metrics", "select_alpha"},
    "compute_metrics": {"select_alpha", "draw_figures", "write_page"},
    "select_alpha": {"export_model", "draw_figures", "write_page"},
    "draw_figures": {"write_page"},
    "write_page": set(),
}


OF_STUDENTS = {"pretrain_student", "train_vl2v_adip", "train_erm"}
"""Rules of methods that no export follows: plain open_clip cannot carry a student."""


def with_followers(rules: set[str]) -> set[str]:
    """Return the rules and all that follow them."""
    followers: set[str] = set()
    waiting = set(rules)
    while waiting:
        rule = waiting.pop()
        followers.add(rule)
        waiting |= FOLLOWS[rule] - followers
    # A student's own classifier is all that both its training and scoring read.
    students_alone = bool(rules & OF_STUDENTS) and rules <= {*OF_STUDENTS, "score_images"}
    return followers - {"export_model"} if students_alone else followers


KINDS_OF_METHODS = ("finetune", "ogen", "vl2v_sd", "vl2v_adip", "erm")

ENTRY_POINTS = (
    "models.pretrain_clip",
    "models.pretrain_autoencoder",
    "models.pretrain_text_to_image",
    "models.pretrain_student",
    "prompts.write_class_names",
    "prompts.write_generation_prompts",
    "prompts.write_head_prompts",
    "real_images.convert_real_images",
    "real_images.collect_real_images",
    "generation.generate_images",
    "generation.collect_generated_images",
    "training.build_zero_shot_head",
    "training.embed_images",
    *(f"training.{kind}" for kind in KINDS_OF_METHODS),
    "ensembling.export_model",
    "evaluation.score_images",
    "evaluation.compute_metrics",
    "selection.select_alpha",
    "report.draw_figures",
    "report.write_page",
)
"""Entry points that the tests run; `models.fetch_checkpoint` alone is not among them."""


EXPORTED = ("ensembling.linear_classifier", "training.ogen.classifier")
CLASSIFIERS = (*EXPORTED, "training.erm.classifier")
METRICS = tuple(f"evaluation.metrics.{name}" for name in ("top1", "top5", "mean_per_class", "nll", "brier", "ece"))
LOADED = {
    "real_images.convert_real_images": ("real_images.kinds.digits",),
    "generation.generate_images": (
        "generation.drawers.diffusers_pipeline",
        "common.image_checks.flagged",
        "common.image_checks.black",
    ),
    "ensembling.export_model": EXPORTED,
    "evaluation.score_images": CLASSIFIERS,
    "evaluation.compute_metrics": METRICS,
    "selection.select_alpha": (*METRICS, "selection.pickers.fixed", "selection.pickers.oracle"),
    "report.draw_figures": (
        *METRICS,
        *(f"report.figures.{name}" for name in ("images", "drawn", "alphas", "training")),
    ),
    "report.write_page": METRICS,
}
"""Modules that entry points load by name: one that the configuration names, or all of a registry."""


def rule_of(entry_point: str) -> str:
    """Return the rule that runs an entry point: both have one name, but that a kind of method is trained."""
    name = entry_point.rpartition(".")[2]
    return f"train_{name}" if name in KINDS_OF_METHODS else name


def source_of(entry_point: str) -> str:
    """Return the file that an entry point begins in, below the package."""
    path = entry_point.replace(".", "/")
    return f"{path}/__main__.py" if entry_point.rpartition(".")[2] in KINDS_OF_METHODS else f"{path}.py"
