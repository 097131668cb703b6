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
    if missing := _missing(chosen):
        raise _not_here(device, f"PyTorch finds {missing}")
    return chosen


def _missing(device: torch.device) -> str | None:
    """What PyTorch lacks for this device; None if it is here."""
    if device.type in ("cpu", "meta"):
        return None
    name = {"cuda": "CUDA GPU", "mps": "Apple GPU"}.get(device.type, f"device of the kind {device.type}")
    module = getattr(torch.backends if device.type == "mps" else torch, device.type, None)
    if module is None or not module.is_available():
        return f"no {name}"
    if device.type == "cuda" and device.index is not None and device.index >= torch.cuda.device_count():
        return f"only {torch.cuda.device_count()} of the kind {name}"
    return None


def _not_here(device: object, reason: str) -> ValueError:
    given = repr(str(device) if isinstance(device, torch.device) else device)
    return ValueError(f"device must be one that is here, such as 'cpu' or 'cuda', got {given}: {reason}")
