# Needs: a CLIP checkpoint, the sentences of the head, and image manifests.
# Gives: heads, fine-tuned image encoders or contexts, training logs and metadata; embeddings that some methods
# learn from. One rule per kind of method.


rule build_zero_shot_head:
    input:
        clip=lambda w: WHERE.model_manifest(w.clip),
        prompts=HEAD_PROMPTS,
    output:
        head=f"{ZERO_SHOT_RUN}/{HEAD}",
        metadata=f"{ZERO_SHOT_RUN}/{METADATA}",
    log:
        f"{LOGS}/build_zero_shot_head/{stem(ZERO_SHOT_RUN)}.log",
    benchmark:
        f"{BENCHMARKS}/build_zero_shot_head/{stem(ZERO_SHOT_RUN)}.tsv"
    conda:
        "../envs/nameonly.yaml"
    threads: THREADS.training
    resources:
        gpu=gpus,
        mem_mb=memory(4000),
        runtime=30,
    params:
        code=lambda w: code_of("training.build_zero_shot_head"),
    shell:
        "python -m workflow_scripts.training.build_zero_shot_head --code {params.code} --clip {input.clip:q}"
        " --prompts {input.prompts:q} --output {output.head:q} --metadata {output.metadata:q}"
        " --threads {threads} --log {log:q}"


rule train_finetune:
    input:
        images=lambda w: WHERE.train_manifests(run_of(w)),
        clip=lambda w: WHERE.model_manifest(w.clip),
        zero_shot_head=f"{ZERO_SHOT_RUN}/{HEAD}",
    output:
        encoder=f"{RUN}/{ENCODER}",
        head=f"{RUN}/{HEAD}",
        training_log=f"{RUN}/{TRAINING_LOG}",
        metadata=f"{RUN}/{METADATA}",
    log:
        f"{LOGS}/train_finetune/{stem(RUN)}.log",
    benchmark:
        f"{BENCHMARKS}/train_finetune/{stem(RUN)}.tsv"
    wildcard_constraints:
        method=one_of(PLAN.run_names(Finetune)),
    conda:
        "../envs/nameonly.yaml"
    threads: THREADS.training
    resources:
        gpu=gpus,
        mem_mb=memory(8000),
        runtime=240,
    params:
        settings=lambda w: jobs.train(PLAN, run_of(w)).canonical(),
        code=lambda w: code_of("training.train_finetune"),
    shell:
        "python -m workflow_scripts.training.train_finetune --settings {params.settings:q} --code {params.code}"
        " --images {input.images:q} --clip {input.clip:q} --zero-shot-head {input.zero_shot_head:q}"
        " --output {output.encoder:q} --output-head {output.head:q}"
        " --training-log {output.training_log:q} --metadata {output.metadata:q} --threads {threads} --log {log:q}"


# A table per domain: features of base classes for OGEN, a black-box teacher for VL2V-ADiP. Any table of this form can
# take its place.
rule embed_images:
    input:
        images=lambda w: WHERE.image_manifest(w.dataset, w.source, w.domain),
        clip=lambda w: WHERE.model_manifest(w.clip),
    output:
        EMBEDDINGS,
    log:
        f"{LOGS}/embed_images/{stem(EMBEDDINGS)}.log",
    benchmark:
        f"{BENCHMARKS}/embed_images/{stem(EMBEDDINGS)}.tsv"
    conda:
        "../envs/nameonly.yaml"
    threads: THREADS.training
    resources:
        gpu=gpus,
        mem_mb=memory(6000),
        runtime=120,
    params:
        code=lambda w: code_of("training.embed_images"),
    shell:
        "python -m workflow_scripts.training.embed_images --code {params.code} --images {input.images:q}"
        " --clip {input.clip:q} --preprocessing {wildcards.preprocessing} --output {output:q} --threads {threads}"
        " --log {log:q}"


rule compute_class_statistics:
    input:
        images=lambda w: WHERE.train_manifests(run_of(w)),
        embeddings=lambda w: WHERE.embeddings(run_of(w)),
    output:
        f"{RUN}/{CLASS_STATISTICS}",
    log:
        f"{LOGS}/compute_class_statistics/{stem(RUN)}.log",
    benchmark:
        f"{BENCHMARKS}/compute_class_statistics/{stem(RUN)}.tsv"
    wildcard_constraints:
        method=one_of(PLAN.run_names(Ogen)),
    localrule: True
    conda:
        "../envs/nameonly.yaml"
    params:
        settings=lambda w: jobs.compute_class_statistics(PLAN, run_of(w)).canonical(),
        code=lambda w: code_of("training.ogen.compute_class_statistics"),
    shell:
        "python -m workflow_scripts.training.ogen.compute_class_statistics --settings {params.settings:q}"
        " --code {params.code} --images {input.images:q} --embeddings {input.embeddings:q} --output {output:q}"
        " --log {log:q}"


rule train_ogen:
    input:
        images=lambda w: WHERE.train_manifests(run_of(w)),
        clip=lambda w: WHERE.model_manifest(w.clip),
        statistics=f"{RUN}/{CLASS_STATISTICS}",
    output:
        context=f"{RUN}/{CONTEXT}",
        training_log=f"{RUN}/{TRAINING_LOG}",
        metadata=f"{RUN}/{METADATA}",
    log:
        f"{LOGS}/train_ogen/{stem(RUN)}.log",
    benchmark:
        f"{BENCHMARKS}/train_ogen/{stem(RUN)}.tsv"
    wildcard_constraints:
        method=one_of(PLAN.run_names(Ogen)),
    conda:
        "../envs/nameonly.yaml"
    threads: THREADS.training
    resources:
        gpu=gpus,
        mem_mb=memory(8000),
        runtime=240,
    params:
        settings=lambda w: jobs.train(PLAN, run_of(w)).canonical(),
        code=lambda w: code_of("training.ogen.train_ogen"),
    shell:
        "python -m workflow_scripts.training.ogen.train_ogen --settings {params.settings:q} --code {params.code}"
        " --images {input.images:q} --clip {input.clip:q} --statistics {input.statistics:q} --output {output.context:q}"
        " --training-log {output.training_log:q} --metadata {output.metadata:q} --threads {threads} --log {log:q}"


rule build_ogen_head:
    input:
        clip=lambda w: WHERE.model_manifest(w.clip),
        context=f"{RUN}/{CONTEXT}",
        images=lambda w: WHERE.train_manifests(run_of(w))[0],
    output:
        f"{RUN}/{HEAD}",
    log:
        f"{LOGS}/build_ogen_head/{stem(RUN)}.log",
    benchmark:
        f"{BENCHMARKS}/build_ogen_head/{stem(RUN)}.tsv"
    wildcard_constraints:
        method=one_of(PLAN.run_names(Ogen)),
    conda:
        "../envs/nameonly.yaml"
    threads: THREADS.training
    resources:
        gpu=gpus,
        mem_mb=memory(4000),
        runtime=30,
    params:
        settings=lambda w: jobs.build_ogen_head(PLAN, run_of(w)).canonical(),
        code=lambda w: code_of("training.ogen.build_ogen_head"),
    shell:
        "python -m workflow_scripts.training.ogen.build_ogen_head --settings {params.settings:q} --code {params.code}"
        " --clip {input.clip:q} --context {input.context:q} --images {input.images:q} --output {output:q}"
        " --threads {threads} --log {log:q}"


rule train_vl2v_sd:
    input:
        images=lambda w: WHERE.train_manifests(run_of(w)),
        clip=lambda w: WHERE.model_manifest(w.clip),
        zero_shot_head=f"{ZERO_SHOT_RUN}/{HEAD}",
    output:
        encoder=f"{RUN}/{ENCODER}",
        head=f"{RUN}/{HEAD}",
        training_log=f"{RUN}/{TRAINING_LOG}",
        metadata=f"{RUN}/{METADATA}",
    log:
        f"{LOGS}/train_vl2v_sd/{stem(RUN)}.log",
    benchmark:
        f"{BENCHMARKS}/train_vl2v_sd/{stem(RUN)}.tsv"
    wildcard_constraints:
        method=one_of(PLAN.run_names(Vl2vSd)),
    conda:
        "../envs/nameonly.yaml"
    threads: THREADS.training
    resources:
        gpu=gpus,
        mem_mb=memory(8000),
        runtime=240,
    params:
        settings=lambda w: jobs.train(PLAN, run_of(w)).canonical(),
        code=lambda w: code_of("training.vl2v.train_vl2v_sd"),
    shell:
        "python -m workflow_scripts.training.vl2v.train_vl2v_sd --settings {params.settings:q} --code {params.code}"
        " --images {input.images:q} --clip {input.clip:q} --zero-shot-head {input.zero_shot_head:q}"
        " --output {output.encoder:q} --output-head {output.head:q}"
        " --training-log {output.training_log:q} --metadata {output.metadata:q} --threads {threads} --log {log:q}"


rule train_vl2v_adip:
    input:
        images=lambda w: WHERE.train_manifests(run_of(w)),
        clip=lambda w: WHERE.model_manifest(w.clip),
        zero_shot_head=f"{ZERO_SHOT_RUN}/{HEAD}",
        student=lambda w: WHERE.model_manifest(PLAN.student_of(run_of(w))),
        embeddings=lambda w: WHERE.embeddings(run_of(w)),
    output:
        encoder=f"{RUN}/{ENCODER}",
        head=f"{RUN}/{HEAD}",
        training_log=f"{RUN}/{TRAINING_LOG}",
        metadata=f"{RUN}/{METADATA}",
    log:
        f"{LOGS}/train_vl2v_adip/{stem(RUN)}.log",
    benchmark:
        f"{BENCHMARKS}/train_vl2v_adip/{stem(RUN)}.tsv"
    wildcard_constraints:
        method=one_of(PLAN.run_names(Vl2vAdip)),
    conda:
        "../envs/nameonly.yaml"
    threads: THREADS.training
    resources:
        gpu=gpus,
        mem_mb=memory(8000),
        runtime=240,
    params:
        settings=lambda w: jobs.train(PLAN, run_of(w)).canonical(),
        code=lambda w: code_of("training.vl2v.train_vl2v_adip"),
        embeddings=lambda w, input: (
            ["--embeddings", *input.embeddings] if input.embeddings else []
        ),
    shell:
        "python -m workflow_scripts.training.vl2v.train_vl2v_adip --settings {params.settings:q} --code {params.code}"
        " --images {input.images:q} --clip {input.clip:q} --zero-shot-head {input.zero_shot_head:q}"
        " --student {input.student:q} {params.embeddings:q}"
        " --output {output.encoder:q} --output-head {output.head:q}"
        " --training-log {output.training_log:q} --metadata {output.metadata:q} --threads {threads} --log {log:q}"
