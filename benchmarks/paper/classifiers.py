"""Two plain classifiers of ten classes, to judge a representation by."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

Features = NDArray[np.float32]
Classes = NDArray[np.uint8]


def linear(known: Features, classes: Classes, asked: Features, steps: int = 100) -> Classes:
    """Multinomial logistic regression, to its optimum by L-BFGS.

    Args:
        known, classes: features and classes to learn from.
        asked: features whose classes are guessed.
    """
    middle, scale = known.mean(0), known.std(0) + 1e-6
    x, y = torch.from_numpy((known - middle) / scale), torch.from_numpy(classes.astype(np.int64))
    weight = torch.zeros(x.shape[1], 10, requires_grad=True)
    bias = torch.zeros(10, requires_grad=True)
    optimiser = torch.optim.LBFGS([weight, bias], max_iter=steps, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        value = F.cross_entropy(x @ weight + bias, y) + 1e-4 * (weight**2).sum()
        value.backward()
        return value

    optimiser.step(loss)
    scores = torch.from_numpy((asked - middle) / scale) @ weight.detach() + bias.detach()
    return scores.argmax(1).numpy().astype(np.uint8)


def nearest(known: Features, classes: Classes, asked: Features, neighbours: int = 5) -> Classes:
    """The class that most of the nearest neighbours have; of equals, the lowest."""
    guesses = []
    for part in np.array_split(asked, max(1, len(asked) // 500)):
        distances = torch.cdist(torch.from_numpy(part), torch.from_numpy(known))
        chosen = classes[distances.topk(neighbours, largest=False).indices.numpy()]
        guesses.append(np.stack([(chosen == digit).sum(1) for digit in range(10)], axis=1).argmax(1))
    return np.concatenate(guesses).astype(np.uint8)


ALL = {"linear classifier": linear, "5 nearest neighbours": nearest}
