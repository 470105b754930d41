"""Loading a CLIP says nothing false in the log."""

import logging
from pathlib import Path
from typing import Any

import open_clip
import pytest

from tests.training.tiny import CPU, write_clip
from workflow_scripts.common.clip import load_clip

FALSE = "Model initialized randomly."


def test_a_clip_that_gets_its_weights_is_not_said_to_be_random(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = write_clip(tmp_path)
    caplog.set_level("INFO")
    filters = list(logging.getLogger().filters)
    create = open_clip.create_model

    def create_and_warn(*arguments: Any, **options: Any) -> Any:
        logging.warning("Model x initialized partially.")
        return create(*arguments, **options)

    monkeypatch.setattr(open_clip, "create_model", create_and_warn)
    load_clip(manifest, device=CPU)
    assert [text for text in caplog.messages if FALSE in text] == []
    assert "Model x initialized partially." in caplog.messages
    assert "Instantiating model architecture: CLIP" in caplog.messages
    assert logging.getLogger().filters == filters
    # The message is real: open_clip says it where nobody silences it.
    create(f"local-dir:{tmp_path}", load_weights=False)
    assert [text for text in caplog.messages if FALSE in text] == [
        f"No pretrained weights loaded for model 'local-dir:{tmp_path}'. {FALSE}"
    ]
