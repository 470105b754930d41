"""The workflow's graph as its authors mean it: which rules follow which. Written by hand, to be compared with."""

FOLLOWS: dict[str, set[str]] = {
    "class_names": {"generation_prompts", "head_prompts", "real_shard"},
    "generation_prompts": {"generation_shard"},
    "head_prompts": {"zero_shot_head"},
    "real_shard": {"real_manifest"},
    "real_manifest": {
        "embedded_clip",
        "embedded_autoencoder",
        "embedded_text_to_image",
        "embedded_student",
        "finetune",
        "score",
        "report_figures",
        "report_page",
    },
    "embedded_clip": {
        "embedded_text_to_image",
        "zero_shot_head",
        "finetune",
        "image_embeddings",
        "ogen",
        "ogen_class_weights",
        "vl2v_sd",
        "vl2v_adip",
        "export_alpha",
        "score",
        "report_page",
    },
    "embedded_autoencoder": {"embedded_text_to_image"},
    "embedded_text_to_image": {"generation_shard", "report_page"},
    "embedded_student": {"vl2v_adip", "report_page"},
    "generation_shard": {"generation_manifest"},
    "generation_manifest": {
        "finetune",
        "image_embeddings",
        "class_statistics",
        "ogen",
        "ogen_class_weights",
        "vl2v_sd",
        "vl2v_adip",
        "score",
        "report_figures",
        "report_page",
    },
    "zero_shot_head": {"finetune", "vl2v_sd", "vl2v_adip", "score", "report_page"},
    "finetune": {"score", "export_alpha", "report_figures", "report_page"},
    "image_embeddings": {"class_statistics", "vl2v_adip"},
    "class_statistics": {"ogen"},
    "ogen": {"ogen_class_weights", "report_figures", "report_page"},
    "ogen_class_weights": {"score", "export_alpha"},
    "vl2v_sd": {"score", "export_alpha", "report_figures", "report_page"},
    "vl2v_adip": {"score", "report_figures", "report_page"},
    "export_alpha": set(),
    "score": {"metrics"},
    "metrics": {"report_figures", "report_page"},
    "report_figures": {"report_page"},
    "report_page": set(),
}


def with_followers(rules: set[str]) -> set[str]:
    """Return the rules and all that follow them."""
    found: set[str] = set()
    waiting = set(rules)
    while waiting:
        rule = waiting.pop()
        found.add(rule)
        waiting |= FOLLOWS[rule] - found
    return found


ENTRIES = {
    "models.train_clip": "embedded_clip",
    "models.train_autoencoder": "embedded_autoencoder",
    "models.train_text_to_image": "embedded_text_to_image",
    "models.train_student": "embedded_student",
    "prompts.generation_prompts": "generation_prompts",
    "prompts.head_prompts": "head_prompts",
    "real_images.shard": "real_shard",
    "real_images.collect": "real_manifest",
    "generation.draw": "generation_shard",
    "generation.collect": "generation_manifest",
    "training.zero_shot": "zero_shot_head",
    "training.finetune": "finetune",
    "training.embed": "image_embeddings",
    "training.ogen.statistics": "class_statistics",
    "training.ogen.train": "ogen",
    "training.ogen.class_weights": "ogen_class_weights",
    "training.vl2v.sd": "vl2v_sd",
    "training.vl2v.adip": "vl2v_adip",
    "ensembling.export": "export_alpha",
    "evaluation.score": "score",
    "evaluation.measure": "metrics",
    "report.figures": "report_figures",
    "report.page": "report_page",
}
"""Entry points and the rules that run them (`models.collect` runs in no rule of these tests)."""
