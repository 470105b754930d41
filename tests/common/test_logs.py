"""Logging: one message is dropped for a while, and nothing else; progress bars hand on what they count."""

import logging
import re

import pytest

from workflow_scripts.common.logs import progress, silenced

NOISE = re.compile(r"model '.*' is empty\.")


def test_only_the_message_is_dropped_and_only_inside(caplog: pytest.LogCaptureFixture) -> None:
    filters = list(logging.getLogger().filters)
    with silenced(NOISE):
        logging.warning("model 'a' is empty.")
        logging.warning("model '%s' is empty.", "b")
        logging.warning("model 'a' is empty. Really.")
        logging.error("another message")
        logging.getLogger("elsewhere").warning("model 'c' is empty.")
    logging.warning("model 'd' is empty.")
    assert caplog.messages == [
        "model 'a' is empty. Really.",
        "another message",
        "model 'c' is empty.",
        "model 'd' is empty.",
    ]
    assert logging.getLogger().filters == filters


def test_the_filter_goes_when_the_block_fails() -> None:
    filters = list(logging.getLogger().filters)
    with pytest.raises(RuntimeError, match="building failed"), silenced(NOISE):
        raise RuntimeError("building failed")
    assert logging.getLogger().filters == filters


def test_progress_hands_on_what_it_counts() -> None:
    items = [object(), None, object()]
    assert list(progress(iter(items), what="counting", total=2)) == items
