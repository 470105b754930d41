# Needs: manifests of real training images (embedded models), or a hub or a folder.
# Gives: checkpoints in the libraries' own formats, a manifest each.


rule embedded_clip:
    input:
        images=lambda w: PLAN.corpus_manifests(PLAN.configuration.clips[w.model]),
    output:
        manifest=f"{MODEL}/manifest.json",
        files=[f"{MODEL}/{name}" for name in CLIP_FILES],
    log:
        f"{LOGS}/embedded_clip/{{model}}.log",
    benchmark:
        f"{BENCHMARKS}/embedded_clip/{{model}}.tsv"
    wildcard_constraints:
        model=one_of(PLAN.embedded_clips),
    conda:
        "../envs/nameonly.yaml"
    threads: THREADS.models
    resources:
        gpu=gpus,
        mem_mb=memory(4000),
        runtime=60,
    params:
        settings=lambda w: jobs.embedded_clip(PLAN, w.model).canonical(),
        code=lambda w: code_of("models.train_clip"),
    shell:
        "python -m workflow_scripts.models.train_clip --settings {params.settings:q} --code {params.code}"
        " --images {input.images:q} --output {output.manifest:q} --threads {threads} --log {log:q}"


rule embedded_autoencoder:
    input:
        images=lambda w: PLAN.corpus_manifests(PLAN.text_to_image(w.model)),
    output:
        [f"{MODEL}/{name}" for name in AUTOENCODER_FILES],
    log:
        f"{LOGS}/embedded_autoencoder/{{model}}.log",
    benchmark:
        f"{BENCHMARKS}/embedded_autoencoder/{{model}}.tsv"
    wildcard_constraints:
        model=one_of(PLAN.embedded_generators),
    conda:
        "../envs/nameonly.yaml"
    threads: THREADS.models
    resources:
        gpu=gpus,
        mem_mb=memory(4000),
        runtime=60,
    params:
        settings=lambda w: jobs.autoencoder(PLAN, w.model).canonical(),
        code=lambda w: code_of("models.train_autoencoder"),
        weights=lambda w, output: next(
            path for path in output if path.endswith(".safetensors")
        ),
    shell:
        "python -m workflow_scripts.models.train_autoencoder --settings {params.settings:q} --code {params.code}"
        " --images {input.images:q} --output {params.weights:q} --threads {threads} --log {log:q}"


rule embedded_text_to_image:
    input:
        images=lambda w: PLAN.corpus_manifests(PLAN.text_to_image(w.model)),
        clip=lambda w: model_manifest(PLAN.text_to_image(w.model).clip),
        autoencoder=[f"{MODEL}/{name}" for name in AUTOENCODER_FILES],
    output:
        manifest=f"{MODEL}/manifest.json",
        files=[f"{MODEL}/{name}" for name in PIPELINE_FILES],
    log:
        f"{LOGS}/embedded_text_to_image/{{model}}.log",
    benchmark:
        f"{BENCHMARKS}/embedded_text_to_image/{{model}}.tsv"
    wildcard_constraints:
        model=one_of(PLAN.embedded_generators),
    conda:
        "../envs/nameonly.yaml"
    threads: THREADS.text_to_image
    resources:
        gpu=gpus,
        mem_mb=memory(6000),
        runtime=120,
    params:
        settings=lambda w: jobs.denoiser(PLAN, w.model).canonical(),
        code=lambda w: code_of("models.train_text_to_image"),
        autoencoder=lambda w, input: next(
            path for path in input.autoencoder if path.endswith(".safetensors")
        ),
    shell:
        "python -m workflow_scripts.models.train_text_to_image --settings {params.settings:q} --code {params.code}"
        " --images {input.images:q} --clip {input.clip:q} --autoencoder {params.autoencoder:q}"
        " --output {output.manifest:q} --threads {threads} --log {log:q}"


rule embedded_student:
    input:
        images=lambda w: PLAN.student_manifests(w.model),
    output:
        manifest=f"{MODEL}/manifest.json",
        files=[f"{MODEL}/{name}" for name in STUDENT_FILES],
    log:
        f"{LOGS}/embedded_student/{{model}}.log",
    benchmark:
        f"{BENCHMARKS}/embedded_student/{{model}}.tsv"
    wildcard_constraints:
        model=one_of(PLAN.embedded_students),
    conda:
        "../envs/nameonly.yaml"
    threads: THREADS.models
    resources:
        gpu=gpus,
        mem_mb=memory(4000),
        runtime=60,
    params:
        settings=lambda w: jobs.embedded_student(PLAN, w.model).canonical(),
        code=lambda w: code_of("models.train_student"),
    shell:
        "python -m workflow_scripts.models.train_student --settings {params.settings:q} --code {params.code}"
        " --images {input.images:q} --output {output.manifest:q} --threads {threads} --log {log:q}"


# Local: compute nodes need no network.
rule collected_model:
    output:
        f"{MODEL}/manifest.json",
    log:
        f"{LOGS}/collected_model/{{model}}.log",
    benchmark:
        f"{BENCHMARKS}/collected_model/{{model}}.tsv"
    wildcard_constraints:
        model=one_of(PLAN.collected_models),
    localrule: True
    conda:
        "../envs/nameonly.yaml"
    params:
        settings=lambda w: jobs.collected_model(PLAN, w.model).canonical(),
        code=lambda w: code_of("models.collect"),
        what=lambda w: PLAN.kind_of_model(w.model),
    shell:
        "python -m workflow_scripts.models.collect --settings {params.settings:q} --code {params.code}"
        " --what {params.what} --output {output:q} --log {log:q}"
