# Needs: a built-in data set or image folders, and the class names.
# Gives: real images in the same shards as generated ones, and their manifests.

REAL = one_of((REAL_TRAIN, REAL_TEST))


# Icons are drawn, sorted by author and rid of twins all together.
rule prepare_real_images:
    input:
        lambda w: WHERE.classes(w.dataset),
    output:
        PREPARED,
    log:
        f"{LOGS}/prepare_real_images/{stem(PREPARED)}.log",
    benchmark:
        f"{BENCHMARKS}/prepare_real_images/{stem(PREPARED)}.tsv"
    wildcard_constraints:
        dataset=one_of(PLAN.prepared_datasets),
    conda:
        "../envs/nameonly.yaml"
    threads: THREADS.preparation
    resources:
        mem_mb=memory(6000),
        runtime=60,
    params:
        start=start,
        settings=lambda w: jobs.prepare_real_images(PLAN, w.dataset).canonical(),
        kind=lambda w: PLAN.kind_of_images(w.dataset),
        code=lambda w: code_of(
            "real_images.prepare_real_images",
            *modules_of("real_images.kinds", PLAN.kind_of_images(w.dataset)),
        ),
    shell:
        "{params.start} real_images.prepare_real_images --settings {params.settings:q} --code {params.code}"
        " --kind {params.kind} --classes {input:q} --output {output:q} --threads {threads} --log {log:q}"


rule convert_real_images:
    input:
        classes=lambda w: WHERE.classes(w.dataset),
        prepared=lambda w: WHERE.prepared(w.dataset),
    output:
        SHARD,
    log:
        f"{LOGS}/convert_real_images/{stem(SHARD)}.log",
    benchmark:
        f"{BENCHMARKS}/convert_real_images/{stem(SHARD)}.tsv"
    wildcard_constraints:
        source=REAL,
    localrule: True
    conda:
        "../envs/nameonly.yaml"
    params:
        start=start,
        settings=lambda w: jobs.convert_real_images(
            PLAN, w.dataset, w.source, w.domain, w.shard
        ).canonical(),
        kind=lambda w: PLAN.kind_of_images(w.dataset),
        prepared=lambda w, input: (
            ["--prepared", input.prepared] if input.prepared else []
        ),
        code=lambda w: code_of(
            "real_images.convert_real_images",
            *modules_of("real_images.kinds", PLAN.kind_of_images(w.dataset)),
        ),
    shell:
        "{params.start} real_images.convert_real_images --settings {params.settings:q} --code {params.code}"
        " --kind {params.kind} --classes {input.classes:q} {params.prepared:q} --output {output:q} --log {log:q}"


rule collect_real_images:
    input:
        lambda w: WHERE.shards(w.dataset, w.source, w.domain),
    output:
        IMAGE_MANIFEST,
    log:
        f"{LOGS}/collect_real_images/{stem(IMAGE_MANIFEST)}.log",
    benchmark:
        f"{BENCHMARKS}/collect_real_images/{stem(IMAGE_MANIFEST)}.tsv"
    wildcard_constraints:
        source=REAL,
    localrule: True
    conda:
        "../envs/nameonly.yaml"
    params:
        start=start,
        settings=lambda w: jobs.collect_real_images(
            PLAN, w.dataset, w.source, w.domain
        ).canonical(),
        code=lambda w: code_of("real_images.collect_real_images"),
    shell:
        "{params.start} real_images.collect_real_images --settings {params.settings:q} --code {params.code}"
        " --shards {input:q} --output {output:q} --log {log:q}"
