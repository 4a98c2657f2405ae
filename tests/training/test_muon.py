import pytest
import torch

from vaezip.training.muon import Muon, orthogonal


@pytest.mark.parametrize("shape", [(32, 64), (96, 30), (64, 64)])
def test_steps_are_those_of_pytorch_but_for_the_precision(shape):
    """PyTorch's iteration is in bfloat16, so that its steps differ by more than the last digits."""
    torch.manual_seed(0)
    start = torch.randn(shape)
    ours, theirs = torch.nn.Parameter(start.clone()), torch.nn.Parameter(start.clone())
    optimisers = Muon([ours], 0.02), torch.optim.Muon([theirs], lr=0.02, weight_decay=0.0)
    for _ in range(3):
        gradient, before = torch.randn(shape), (ours.detach().clone(), theirs.detach().clone())
        for matrix, optimiser in zip((ours, theirs), optimisers):
            matrix.grad = gradient.clone()
            optimiser.step()
        moved, as_pytorch = ours.detach() - before[0], theirs.detach() - before[1]
        assert 0.002 < float((moved - as_pytorch).norm() / moved.norm()) < 0.03


def test_singular_values_come_to_lie_near_one():
    torch.manual_seed(0)
    values = torch.linalg.svdvals(orthogonal(torch.randn(20, 50)))
    assert 0.6 < float(values.min()) <= float(values.max()) < 1.3
