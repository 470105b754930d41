# Needs: class names, templates of each domain, descriptions.
# Gives: class names as a file, the prompts of each domain, the sentences of the zero-shot head.


# Class names are arguments, encoded as in a URL: no character of theirs means anything to a shell.
rule write_class_names:
    output:
        CLASSES,
    log:
        f"{LOGS}/write_class_names/{stem(CLASSES)}.log",
    localrule: True
    conda:
        "../envs/nameonly.yaml"
    params:
        start=start,
        names=lambda w: [quote(name, safe="") for name in PLAN.classes[w.dataset]],
        code=code_of("prompts.write_class_names"),
    shell:
        "{params.start} prompts.write_class_names --code {params.code} --output {output:q} --log {log:q}"
        " -- {params.names:q}"


rule write_generation_prompts:
    input:
        lambda w: WHERE.classes(w.dataset),
    output:
        GENERATION_PROMPTS,
    log:
        f"{LOGS}/write_generation_prompts/{stem(GENERATION_PROMPTS)}.log",
    benchmark:
        f"{BENCHMARKS}/write_generation_prompts/{stem(GENERATION_PROMPTS)}.tsv"
    localrule: True
    conda:
        "../envs/nameonly.yaml"
    params:
        start=start,
        settings=lambda w: jobs.write_generation_prompts(
            PLAN, w.dataset, w.domain
        ).canonical(),
        code=lambda w: code_of("prompts.write_generation_prompts"),
    shell:
        "{params.start} prompts.write_generation_prompts --settings {params.settings:q}"
        " --code {params.code} --classes {input:q} --output {output:q} --log {log:q}"


rule write_head_prompts:
    input:
        classes=lambda w: WHERE.classes(w.dataset),
        descriptions=lambda w: own_files(PLAN.description_files(w.dataset, w.head)),
    output:
        HEAD_PROMPTS,
    log:
        f"{LOGS}/write_head_prompts/{stem(HEAD_PROMPTS)}.log",
    benchmark:
        f"{BENCHMARKS}/write_head_prompts/{stem(HEAD_PROMPTS)}.tsv"
    localrule: True
    conda:
        "../envs/nameonly.yaml"
    params:
        start=start,
        settings=lambda w: jobs.write_head_prompts(PLAN, w.dataset, w.head).canonical(),
        code=lambda w: code_of("prompts.write_head_prompts"),
    shell:
        "{params.start} prompts.write_head_prompts --settings {params.settings:q} --code {params.code}"
        " --classes {input.classes:q} --output {output:q} --log {log:q}"
