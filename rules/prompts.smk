# Needs: class names, templates, styles, descriptions.
# Gives: class names as a file, the prompts of each style, the sentences of the zero-shot head.


# Class names go into a file without passing through a shell.
rule class_names:
    output:
        f"{PROMPTS}/classes.json",
    log:
        f"{LOGS}/class_names/{{dataset}}.log",
    localrule: True
    params:
        names=lambda w: json.dumps(
            PLAN.classes[w.dataset], ensure_ascii=False, indent=1
        ),
    run:
        write_text(Path(output[0]), params.names)


rule generation_prompts:
    input:
        f"{PROMPTS}/classes.json",
    output:
        f"{PROMPTS}/generation/{{domain}}.parquet",
    log:
        f"{LOGS}/generation_prompts/{{dataset}}/{{domain}}.log",
    benchmark:
        f"{BENCHMARKS}/generation_prompts/{{dataset}}/{{domain}}.tsv"
    localrule: True
    conda:
        "../envs/nameonly.yaml"
    params:
        settings=lambda w: jobs.style_prompts(PLAN, w.dataset, w.domain).canonical(),
        code=lambda w: code_of("prompts.generation_prompts"),
    shell:
        "python -m workflow_scripts.prompts.generation_prompts --settings {params.settings:q} --code {params.code}"
        " --classes {input:q} --output {output:q} --log {log:q}"


rule head_prompts:
    input:
        classes=f"{PROMPTS}/classes.json",
        descriptions=lambda w: PLAN.description_files(w.dataset),
    output:
        f"{PROMPTS}/head.parquet",
    log:
        f"{LOGS}/head_prompts/{{dataset}}.log",
    benchmark:
        f"{BENCHMARKS}/head_prompts/{{dataset}}.tsv"
    localrule: True
    conda:
        "../envs/nameonly.yaml"
    params:
        settings=lambda w: jobs.head_prompts(PLAN, w.dataset).canonical(),
        code=lambda w: code_of("prompts.head_prompts"),
    shell:
        "python -m workflow_scripts.prompts.head_prompts --settings {params.settings:q} --code {params.code}"
        " --classes {input.classes:q} --output {output:q} --log {log:q}"
