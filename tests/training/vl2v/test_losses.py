"""VL2V's arithmetic: numeric checks of the method's sheet."""

import pytest
import torch

from workflow_scripts.training.vl2v.losses import embedding_loss


def rows(*values: list[float]) -> torch.Tensor:
    return torch.tensor(values)


X, Y, Z = ([1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0])


def test_equal_embeddings_give_minus_one() -> None:
    same = torch.randn(4, 8)
    assert embedding_loss(same, same, same, image_weight=0.5).item() == pytest.approx(-1.0, abs=1e-6)


def test_orthogonal_embeddings_count_nothing() -> None:
    assert embedding_loss(rows(X), rows(Y), rows(Z), image_weight=0.5).item() == pytest.approx(0.0, abs=1e-6)
    assert embedding_loss(rows(X), rows(X), rows(Z), image_weight=0.5).item() == pytest.approx(-0.5, abs=1e-6)


def test_no_scale_matters() -> None:
    student, image, text = torch.randn(3, 5, 8)
    expected = embedding_loss(student, image, text, image_weight=0.3)
    torch.testing.assert_close(
        embedding_loss(7 * student, image, 100 * text, image_weight=0.3), expected, atol=1e-6, rtol=0
    )


def test_lambda_chooses_between_image_and_text() -> None:
    student, image, text = torch.randn(3, 5, 8)
    cosine = torch.nn.functional.cosine_similarity
    torch.testing.assert_close(embedding_loss(student, image, text, image_weight=1.0), -cosine(student, image).mean())
    torch.testing.assert_close(embedding_loss(student, image, text, image_weight=0.0), -cosine(student, text).mean())
