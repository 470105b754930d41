# Needs: manifests of real training images (models that are pretrained here), or a hub or a folder.
# Gives: checkpoints in the libraries' own formats, a manifest each.


# A CLIP with a tokenizer of its own has more files.
for RULE, FILES, MODELS in (
    ("pretrain_clip", CLIP_FILES, PLAN.clips_pretrained("clip")),
    (
        "pretrain_clip_and_tokenizer",
        (*CLIP_FILES, *TOKENIZER_FILES),
        PLAN.clips_pretrained("corpus"),
    ),
):

    rule:
        name:
            RULE
        input:
            images=lambda w: WHERE.corpus_files(PLAN.configuration.clips[w.model]),
        output:
            manifest=MODEL_MANIFEST,
            files=[f"{MODEL}/{name}" for name in FILES],
        log:
            f"{LOGS}/{RULE}/{stem(MODEL)}.log",
        benchmark:
            f"{BENCHMARKS}/{RULE}/{stem(MODEL)}.tsv"
        wildcard_constraints:
            model=one_of(MODELS),
        conda:
            "../envs/nameonly.yaml"
        threads: THREADS.models
        resources:
            gpu=gpus,
            mem_mb=memory(4000),
            runtime=60,
        params:
            start=start,
            settings=lambda w: jobs.pretrain_clip(PLAN, w.model).canonical(),
            code=lambda w: code_of("models.pretrain_clip"),
        shell:
            "{params.start} models.pretrain_clip --settings {params.settings:q} --code {params.code}"
            " --images {input.images:q} --output {output.manifest:q} --threads {threads} --log {log:q}"


rule pretrain_autoencoder:
    input:
        images=lambda w: WHERE.corpus_files(PLAN.text_to_image(w.model)),
    output:
        config=f"{AUTOENCODER}/{AUTOENCODER_CONFIG}",
        weights=f"{AUTOENCODER}/{AUTOENCODER_WEIGHTS}",
    log:
        f"{LOGS}/pretrain_autoencoder/{stem(AUTOENCODER)}.log",
    benchmark:
        f"{BENCHMARKS}/pretrain_autoencoder/{stem(AUTOENCODER)}.tsv"
    wildcard_constraints:
        model=one_of(PLAN.pretrained_generators),
    conda:
        "../envs/nameonly.yaml"
    threads: THREADS.models
    resources:
        gpu=gpus,
        mem_mb=memory(4000),
        runtime=60,
    params:
        start=start,
        settings=lambda w: jobs.pretrain_autoencoder(PLAN, w.model).canonical(),
        code=lambda w: code_of("models.pretrain_autoencoder"),
    shell:
        "{params.start} models.pretrain_autoencoder --settings {params.settings:q} --code {params.code}"
        " --images {input.images:q} --output {output.weights:q} --threads {threads} --log {log:q}"


# One rule for each kind of denoiser: their pipelines have different files.
for RULE, FILES, KIND in (
    ("pretrain_text_to_image", PIPELINE_FILES, "unet"),
    ("pretrain_transformer", TRANSFORMER_PIPELINE_FILES, "transformer"),
):

    rule:
        name:
            RULE
        input:
            images=lambda w: WHERE.corpus_files(PLAN.text_to_image(w.model)),
            clip=lambda w: WHERE.model_manifest(PLAN.text_to_image(w.model).clip),
            autoencoder_config=lambda w: WHERE.autoencoder(w.model)[0],
            autoencoder=lambda w: WHERE.autoencoder(w.model)[1],
        output:
            manifest=MODEL_MANIFEST,
            files=[f"{MODEL}/{name}" for name in (*AUTOENCODER_FILES, *FILES)],
        log:
            f"{LOGS}/{RULE}/{stem(MODEL)}.log",
        benchmark:
            f"{BENCHMARKS}/{RULE}/{stem(MODEL)}.tsv"
        wildcard_constraints:
            model=one_of(PLAN.generators_pretrained(KIND)),
        conda:
            "../envs/nameonly.yaml"
        threads: THREADS.text_to_image
        resources:
            gpu=gpus,
            mem_mb=memory(6000),
            runtime=120,
        params:
            start=start,
            entry_point=f"models.{RULE}",
            settings=lambda w: jobs.pretrain_text_to_image(PLAN, w.model).canonical(),
            code=code_of(f"models.{RULE}"),
        shell:
            "{params.start} {params.entry_point} --settings {params.settings:q} --code {params.code}"
            " --images {input.images:q} --clip {input.clip:q} --autoencoder {input.autoencoder:q}"
            " --output {output.manifest:q} --threads {threads} --log {log:q}"


rule pretrain_student:
    input:
        images=lambda w: WHERE.student_manifests(w.model),
    output:
        manifest=MODEL_MANIFEST,
        files=[f"{MODEL}/{name}" for name in STUDENT_FILES],
    log:
        f"{LOGS}/pretrain_student/{stem(MODEL)}.log",
    benchmark:
        f"{BENCHMARKS}/pretrain_student/{stem(MODEL)}.tsv"
    wildcard_constraints:
        model=one_of(PLAN.pretrained_students),
    conda:
        "../envs/nameonly.yaml"
    threads: THREADS.models
    resources:
        gpu=gpus,
        mem_mb=memory(4000),
        runtime=60,
    params:
        start=start,
        settings=lambda w: jobs.pretrain_student(PLAN, w.model).canonical(),
        code=lambda w: code_of("models.pretrain_student"),
    shell:
        "{params.start} models.pretrain_student --settings {params.settings:q} --code {params.code}"
        " --images {input.images:q} --output {output.manifest:q} --threads {threads} --log {log:q}"


# Local: compute nodes need no network.
rule fetch_checkpoint:
    output:
        MODEL_MANIFEST,
    log:
        f"{LOGS}/fetch_checkpoint/{stem(MODEL)}.log",
    benchmark:
        f"{BENCHMARKS}/fetch_checkpoint/{stem(MODEL)}.tsv"
    wildcard_constraints:
        model=one_of(PLAN.fetched_checkpoints),
    localrule: True
    conda:
        "../envs/nameonly.yaml"
    params:
        start=start,
        settings=lambda w: jobs.fetch_checkpoint(PLAN, w.model).canonical(),
        code=lambda w: code_of("models.fetch_checkpoint"),
        what=lambda w: PLAN.layout(w.model),
    shell:
        "{params.start} models.fetch_checkpoint --settings {params.settings:q} --code {params.code}"
        " --what {params.what} --output {output:q} --log {log:q}"
