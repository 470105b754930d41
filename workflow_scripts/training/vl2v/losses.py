"""VL2V's loss, a pure function of embeddings."""

from torch import Tensor, nn


def embedding_loss(student: Tensor, image: Tensor, text: Tensor, *, image_weight: float) -> Tensor:
    """Return L = -(lambda * mean cos(PF, I) + (1 - lambda) * mean cos(PF, T)), without a temperature.

    The paper writes the symmetric form, equal at lambda = 0.5. All three are normalized here, so that no scale
    matters; with a mean squared error the scale of T would.

    Args:
        student: projected features PF, (batch, dimension).
        image: the teacher's image embeddings I, (batch, dimension).
        text: the text embeddings T of the images' classes, (batch, dimension).
        image_weight: lambda.
    """
    features = nn.functional.normalize(student.float(), dim=-1)
    to_image = (features * nn.functional.normalize(image.float(), dim=-1)).sum(dim=-1).mean()
    to_text = (features * nn.functional.normalize(text.float(), dim=-1)).sum(dim=-1).mean()
    return -(image_weight * to_image + (1.0 - image_weight) * to_text)
