"""Choosing a device, and moving arrays to and from it."""

from __future__ import annotations

import numpy as np
import torch

from scanpy_torch.annotated import readable


def choose_device(device: str | torch.device | None) -> torch.device:
    """Return the device to compute on: CUDA if there is one and no other was asked for.

    Parameters
    ----------
    device
        A PyTorch device or its name. ``None`` chooses.

    Returns
    -------
    torch.device

    Raises
    ------
    ValueError
        If the device is not here, or knows no double precision.

    Examples
    --------
    >>> choose_device("cpu")
    device(type='cpu')
    """
    if device is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    chosen = torch.device(device)
    if chosen.type == "cuda" and not torch.cuda.is_available():
        msg = f"device={str(device)!r}: PyTorch finds no CUDA device. Pass device='cpu' or None."
        raise ValueError(msg)
    if chosen.type == "mps":
        msg = "device='mps' has no double precision, which these functions use. Pass device='cpu'."
        raise ValueError(msg)
    return chosen


def to_tensor(x: np.ndarray, device: torch.device) -> torch.Tensor:
    """Return an array as a tensor on ``device``; on the CPU they may share memory."""
    # PyTorch takes neither read-only arrays nor negative strides.
    return torch.from_numpy(np.require(x, requirements=["C", "W", "E"])).to(device)


def to_dense(x, device: torch.device) -> torch.Tensor:
    """Return a dense or sparse matrix as a dense tensor in double precision."""
    array = x if isinstance(readable(x), np.ndarray) else x.toarray()
    return to_tensor(array, device).double()
