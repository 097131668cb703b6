"""A device that a reader names: what is understood, what is refused, and that nothing but the question is asked."""

import re

import pytest
import torch

from ppo_helpers.devices import chosen_device


def here(monkeypatch, cuda=False, mps=False):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2 * cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)


@pytest.mark.parametrize(
    ("device", "expected"),
    [(None, "cpu"), ("cpu", "cpu"), (torch.device("cpu"), "cpu"), ("meta", "meta"), ("cuda", "cuda"),
     ("cuda:1", "cuda:1"), (torch.device("cuda", 0), "cuda:0"), ("mps", "mps")],
)  # fmt: skip
def test_a_device_that_is_here_is_taken(monkeypatch, device, expected):
    here(monkeypatch, cuda=True, mps=True)
    assert chosen_device(device) == torch.device(expected)


def test_none_is_the_cpu_whatever_the_default_is():
    torch.set_default_device("meta")
    try:
        assert chosen_device(None).type == "cpu"
    finally:
        torch.set_default_device(None)


@pytest.mark.parametrize(
    ("device", "given", "reason"),
    [
        ("cuda", "'cuda'", "PyTorch finds no CUDA GPU"),
        (torch.device("cuda", 1), "'cuda:1'", "PyTorch finds no CUDA GPU"),
        ("mps", "'mps'", "PyTorch finds no Apple GPU"),
        ("xpu", "'xpu'", "PyTorch finds no device of the kind xpu"),
        ("hpu:1", "'hpu:1'", "PyTorch finds no device of the kind hpu"),
        ("vulkan", "'vulkan'", "PyTorch finds no device of the kind vulkan"),
        ("gpu", "'gpu'", "Expected one of cpu"),
        ("cuda:first", "'cuda:first'", "Invalid device string"),
        ("", "''", "Device string must not be empty"),
        (0, "0", "this is neither a name nor a torch.device"),
        (True, "True", "this is neither a name nor a torch.device"),
    ],
)
def test_what_is_not_here_is_named(monkeypatch, device, given, reason):
    here(monkeypatch)
    message = f"device must be one that is here, such as 'cpu' or 'cuda', got {given}: {reason}"
    with pytest.raises(ValueError, match=re.escape(message)):
        chosen_device(device)


def test_a_gpu_beyond_the_last_one_is_named(monkeypatch):
    here(monkeypatch, cuda=True)
    assert chosen_device("cuda:1").index == 1
    with pytest.raises(ValueError, match="got 'cuda:2': PyTorch finds only 2 of the kind CUDA GPU"):
        chosen_device("cuda:2")
