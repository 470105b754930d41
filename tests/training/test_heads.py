"""Numeric checks 7-9: the zero-shot head."""

import torch

from workflow_scripts.training.heads import ImageClassifier, LinearHead, trained_rows, whole_head, zero_shot_head


def texts(seed: int, count: int = 3) -> torch.Tensor:
    return torch.randn(count, 16, generator=torch.Generator().manual_seed(seed))


def test_rows_have_the_norm_of_the_logit_scale():
    head = zero_shot_head([texts(0), texts(1), texts(2, 1)], scale=100.0)
    torch.testing.assert_close(head.norm(dim=-1), torch.full((3,), 100.0), rtol=1e-3, atol=0.0)


def test_logits_are_scaled_cosines_whatever_the_features_length():
    weight = zero_shot_head([texts(0), texts(1)], scale=100.0)
    features = texts(5, 4)
    expected = 100.0 * torch.nn.functional.cosine_similarity(features[:, None], weight[None], dim=-1)
    head = LinearHead(weight)
    torch.testing.assert_close(head(features), expected, rtol=0.0, atol=1e-4)
    torch.testing.assert_close(head(7.0 * features), expected, rtol=0.0, atol=1e-4)


def test_a_sentence_repeated_changes_nothing():
    once = zero_shot_head([texts(0, 1), texts(1, 1)], scale=100.0)
    often = zero_shot_head([texts(0, 1).repeat(5, 1), texts(1, 1).repeat(3, 1)], scale=100.0)
    torch.testing.assert_close(once, often, rtol=1e-6, atol=1e-5)


def test_sentences_are_normalised_before_they_are_averaged():
    sentences = texts(3, 2)
    longer = sentences * torch.tensor([[1.0], [50.0]])
    torch.testing.assert_close(zero_shot_head([sentences], scale=1.0), zero_shot_head([longer], scale=1.0))


def test_the_classifier_returns_features_as_the_encoder_made_them():
    encoder = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 16))
    model = ImageClassifier(encoder, LinearHead(zero_shot_head([texts(0), texts(1)], scale=10.0)))
    images = torch.randn(2, 3, 2, 2)
    features, logits = model(images)
    torch.testing.assert_close(features, encoder(images))
    assert logits.shape == (2, 2)
    assert logits.dtype == torch.float32


def test_rows_that_are_no_parameters_stay_zero_shot_bit_by_bit() -> None:
    start = {"weight": torch.randn(3, 4), "bias": torch.zeros(3)}
    trained = {name: tensor + 1 for name, tensor in trained_rows(start, (0, 2)).items()}
    whole = whole_head(start, trained, (0, 2))
    assert torch.equal(whole["weight"][1], start["weight"][1])
    assert torch.equal(whole["weight"][[0, 2]], start["weight"][[0, 2]] + 1)
    assert whole["bias"].tolist() == [1.0, 0.0, 1.0]
    assert trained_rows(start, None) is start
    assert whole_head(start, trained, None) is trained
