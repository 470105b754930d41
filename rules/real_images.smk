# Needs: a built-in data set or image folders, and the class names.
# Gives: real images in the same shards as generated ones, and their manifests.

REAL = one_of((REAL_TRAIN, REAL_TEST))


rule convert_real_images:
    input:
        CLASSES,
    output:
        SHARD,
    log:
        f"{LOGS}/convert_real_images/{{dataset}}/{{source}}/{{domain}}/{{shard}}.log",
    benchmark:
        f"{BENCHMARKS}/convert_real_images/{{dataset}}/{{source}}/{{domain}}/{{shard}}.tsv"
    wildcard_constraints:
        source=REAL,
    localrule: True
    conda:
        "../envs/nameonly.yaml"
    params:
        settings=lambda w: jobs.convert_real_images(
            PLAN, w.dataset, w.source, w.domain, int(w.shard)
        ).canonical(),
        code=lambda w: code_of("real_images.convert_real_images"),
    shell:
        "python -m workflow_scripts.real_images.convert_real_images --settings {params.settings:q} --code {params.code}"
        " --classes {input:q} --output {output:q} --log {log:q}"


rule collect_real_images:
    input:
        lambda w: shards(PLAN, w.dataset, w.source, w.domain),
    output:
        IMAGE_MANIFEST,
    log:
        f"{LOGS}/collect_real_images/{{dataset}}/{{source}}/{{domain}}.log",
    benchmark:
        f"{BENCHMARKS}/collect_real_images/{{dataset}}/{{source}}/{{domain}}.tsv"
    wildcard_constraints:
        source=REAL,
    localrule: True
    conda:
        "../envs/nameonly.yaml"
    params:
        settings=lambda w: jobs.collect_real_images(
            PLAN, w.dataset, w.source, w.domain
        ).canonical(),
        code=lambda w: code_of("real_images.collect_real_images"),
    shell:
        "python -m workflow_scripts.real_images.collect_real_images --settings {params.settings:q} --code {params.code}"
        " --shards {input:q} --output {output:q} --log {log:q}"
