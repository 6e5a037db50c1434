"""Muon: updates are orthogonal, of AdamW's size, and go downhill."""

import pytest
import torch

from leap_lab.builtin.muon import Muon, orthogonal


@pytest.mark.parametrize("shape", [(16, 48), (48, 16), (32, 32)])
def test_singular_values_are_brought_near_one(shape):
    torch.manual_seed(0)
    found = orthogonal(torch.randn(*shape) * 7)
    assert found.shape == shape
    values = torch.linalg.svdvals(found)
    assert values.min() > 0.5 and values.max() < 1.3


def test_directions_stay_those_of_the_matrix():
    left, right = torch.linalg.qr(torch.randn(8, 8))[0], torch.linalg.qr(torch.randn(8, 8))[0]
    found = orthogonal(left @ torch.diag(torch.tensor([4.0, 3, 2, 1.5, 1, 1, 0.8, 0.6])) @ right)
    off = left.T @ found @ right.T
    assert torch.allclose(off, torch.diag(off.diagonal()), atol=1e-3)


def test_an_update_has_the_size_of_an_adamw_update():
    torch.manual_seed(0)
    weight = torch.nn.Parameter(torch.zeros(64, 64))
    weight.grad = torch.randn(64, 64) * 1000
    Muon([weight], lr=0.01).step()
    assert weight.detach().square().mean().sqrt().item() == pytest.approx(0.2 * 0.01, rel=0.25)


def test_it_goes_downhill_and_forgets_what_is_not_fed():
    torch.manual_seed(0)
    target, weight = torch.randn(6, 9), torch.nn.Parameter(torch.randn(6, 9))
    optimizer = Muon([weight], lr=0.1, weight_decay=0.0)
    losses = []
    for _ in range(80):
        loss = (weight - target).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.05 * losses[0]
    still = torch.nn.Parameter(torch.ones(2, 2))
    Muon([still], lr=0.1).step()
    assert torch.equal(still.detach(), torch.ones(2, 2)), "without a gradient nothing moves"
