"""Where tensors live: one answer for a device that a reader names, before anything is built on it."""

import torch


def chosen_device(device: torch.device | str | None) -> torch.device:
    """The device that is meant, if it is here.

    Whether it is here is only asked, nothing is allocated on it.

    Args:
        device: such as ``"cuda"`` or ``torch.device("cuda", 0)``; the CPU if None.

    Returns:
        The device.

    Raises:
        ValueError: if ``device`` names no device, or one that this machine does not have.
    """
    if device is None:
        return torch.device("cpu")
    if not isinstance(device, torch.device | str):
        raise _not_here(device, "this is neither a name nor a torch.device")
    try:
        chosen = torch.device(device)
    except RuntimeError as error:
        raise _not_here(device, str(error).splitlines()[0]) from error
    if chosen.type == "cuda" and not torch.cuda.is_available():
        raise _not_here(device, "PyTorch finds no CUDA GPU")
    if chosen.type == "mps" and not torch.backends.mps.is_available():
        raise _not_here(device, "PyTorch finds no Apple GPU")
    return chosen


def _not_here(device: object, reason: str) -> ValueError:
    given = repr(str(device) if isinstance(device, torch.device) else device)
    return ValueError(f"device must be one that is here, such as 'cpu' or 'cuda', got {given}: {reason}")
