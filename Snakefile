# nameonly: from class names alone to an image classifier. See README.md; every key of the configuration is
# described in config.schema.json.
from snakemake.utils import min_version

min_version("9.27")


include: "rules/common.smk"
include: "rules/models.smk"
include: "rules/prompts.smk"
include: "rules/real_images.smk"
include: "rules/generation.smk"
include: "rules/training.smk"
include: "rules/ensembling.smk"
include: "rules/evaluation.smk"
include: "rules/selection.smk"
include: "rules/report.smk"


rule all:
    default_target: True
    input:
        all_products(WHERE),
    localrule: True
