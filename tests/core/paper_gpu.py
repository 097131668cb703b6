"""A GPU on paper: code that asks for ``"cuda"`` runs on the CPU, under CUDA's rules about where tensors are.

    with PaperGPU() as gpu:
        model = model.to("cuda")        # from here a CPU tensor beside one of its tensors raises, as it does on CUDA
        ...
    print(gpu.counts, gpu.waits)        # operations on either side, copies, and what makes the CPU wait for the GPU

A :class:`PaperTensor` wraps a CPU tensor. Python sees ``cuda:0``; PyTorch's C++ sees ``lazy:0``, the one type of device
that a CPU build can differentiate through without a driver. These raise, with CUDA's own types and words:

- operations on tensors of both devices, unless the CPU tensor has no dimension, is an index, or is copied;
- writing to a CPU tensor from the GPU other than by ``copy_``; a GPU index into a CPU tensor;
- ``numpy()`` and ``np.asarray`` without ``cpu()`` or ``force=True``;
- a generator of one device for draws on the other, or with the state of a generator of the other.

Limits. It checks only what passes through PyTorch's dispatcher, for one GPU and one thread. The arithmetic is the
CPU's: no atomics, TF32 or other order of sums (:class:`OtherOrder` and :class:`TF32` play the last two), no
asynchronous errors (an index out of range raises at once), no limit of memory, no times. A generator draws the CPU's
numbers; ``stream`` changes its seed, in place of the GPU's own numbers. Draws without a generator come from the CPU's
default one. Which operations refuse even a 0-dimensional CPU tensor is a list by hand, ``STRICT``, and so is what
waits, ``WAITS``. Types are ``PaperTensor``, so optimisers take their plain loop where CUDA would take ``foreach``, and
attention takes PyTorch's plain formula. ``resize_`` and the like, which change a shape in place, are refused. It leans
on private parts of PyTorch and was tried with 2.13 only.
"""

import hashlib
from collections import Counter
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from typing import ClassVar
from unittest.mock import patch

import torch
import torch._dynamo  # before its functions are patched: it looks at them when it is first imported
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils import _device
from torch.utils._python_dispatch import TorchDispatchMode

SHOWN, INSIDE, CPU = torch.device("cuda", 0), torch.device("lazy", 0), torch.device("cpu")
MIXED = f"Expected all tensors to be on the same device, but found at least two devices, {SHOWN} and cpu!"
NUMPY = f"can't convert {SHOWN} device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host memory first."
COPIES = {"copy_", "_to_copy"}  # between any two devices
INDEXING = {"index", "index_put", "index_put_", "_unsafe_index", "_unsafe_index_put", "_index_put_impl_"}
STRICT = {"cat", "stack", "gather", "scatter", "scatter_", "scatter_add", "scatter_add_", "index_select", "embedding",
          "equal", "masked_select", "isin", "searchsorted", "bucketize", "take", "dot", "_fused_adam_"}  # fmt: skip
WAITS = {"_local_scalar_dense", "nonzero", "masked_select", "equal", "_unique2", "unique_dim", "bincount",
         "multinomial"}  # fmt: skip
MADE = {torch.tensor, torch.as_tensor, torch.asarray, Tensor.new_tensor}  # C++ fills these in where they stand
TURNS = {Tensor.t_, Tensor.transpose_, Tensor.squeeze_, Tensor.unsqueeze_}  # C++ cannot change a wrapper's shape
FACTS = SimpleNamespace(name="paper", total_memory=2**34, major=7, minor=5)
ANSWERS = {"is_available": True, "device_count": 1, "current_device": 0, "get_device_name": "paper",
           "get_device_capability": (7, 5), "get_device_properties": FACTS, "is_bf16_supported": False,
           "max_memory_allocated": 0, "memory_allocated": 0, "synchronize": None, "empty_cache": None,
           "manual_seed": None, "manual_seed_all": None, "_lazy_init": None}  # fmt: skip


# --- what is on the GPU ---------------------------------------------------------------------------------------------


class PaperTensor(Tensor):
    """A CPU tensor that says it is on a GPU."""

    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, held: Tensor):
        form = {"strides": held.stride(), "storage_offset": held.storage_offset(), "dtype": held.dtype}
        made = Tensor._make_wrapper_subclass(cls, held.size(), **form, device=INSIDE)
        made.held = held
        return made

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        return PaperGPU.current.run(func, args, kwargs or {})

    device = property(lambda self: SHOWN)
    is_cuda = property(lambda self: True)
    data = property(lambda self: self.detach())  # to be read, not set

    def numpy(self, *, force=False):
        if not force:
            raise TypeError(NUMPY)
        return self.detach().cpu().numpy()

    def tolist(self):
        return self.detach().cpu().tolist()

    def untyped_storage(self):  # safetensors asks whether two tensors share theirs
        return self.held.untyped_storage()

    def __format__(self, spec):
        return format(self.item(), spec) if self.dim() == 0 else object.__format__(self, spec)

    def __repr__(self, **_):
        return f"{repr(self.held)[:-1]}, device='{SHOWN}')"


class PaperGenerator(torch.Generator):
    """A CPU generator that says where it is, and whose state has the size that CUDA's has."""

    STATES: ClassVar[dict[bytes, Tensor]] = {}  # real states by the 16 bytes that stand for them

    def __new__(cls, device="cpu"):
        made = super().__new__(cls, device="cpu")
        made.place = SHOWN if _is_gpu(device) else CPU
        return made

    device = property(lambda self: self.place)

    def manual_seed(self, seed):
        super().manual_seed(seed + (1_000_003 * PaperGPU.current.stream if self.place == SHOWN else 0))
        return self

    def get_state(self):
        state = super().get_state()
        if self.place == CPU:
            return state
        key = hashlib.md5(state.numpy().tobytes()).digest()
        self.STATES[key] = state
        return torch.tensor(list(key), dtype=torch.uint8, device=CPU)

    def set_state(self, state):
        if self.place == SHOWN:
            if state.device != CPU or state.dtype != torch.uint8:
                raise TypeError("RNG state must be a torch.ByteTensor")
            if state.numel() != 16:
                raise RuntimeError("RNG state is wrong size")
            state = self.STATES[bytes(state.tolist())]
        super().set_state(state)
        return self


# --- the GPU --------------------------------------------------------------------------------------------------------


class PaperGPU(TorchDispatchMode):
    """The context in which there is a GPU.

    ``counts`` says what was done ("on GPU", "on CPU", "to GPU", "to CPU"), ``waits`` which operations made the CPU wait
    until the GPU had done all it was asked before, and how often.
    """

    current: "PaperGPU"

    def __init__(self, stream: int = 0):
        super().__init__()
        self.stream, self.counts, self.waits = stream, Counter(), Counter()

    def __enter__(self):
        PaperGPU.current, self.stack = self, ExitStack()
        for name, answer in ANSWERS.items():
            self.stack.enter_context(patch.object(torch.cuda, name, lambda *_, answer=answer, **__: answer))
        self.stack.enter_context(patch.object(torch, "Generator", PaperGenerator))
        self.stack.enter_context(_swapping_parameters())
        self.stack.enter_context(_Front())
        return super().__enter__()

    def __exit__(self, *error):
        super().__exit__(*error)
        self.stack.close()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if PaperTensor in types or _is_gpu(kwargs.get("device")):
            return self.run(func, args, kwargs)
        self.counts["on CPU"] += 1
        return func(*args, **kwargs)

    def run(self, func, args, kwargs):
        """One operation: look where its tensors are, do it on the CPU, wrap what belongs on the GPU."""
        name, tensors = func.overloadpacket.__name__, _tensors((args, kwargs))
        papers, plain = [x for x in tensors if isinstance(x, PaperTensor)], [x for x in tensors if _is_plain(x)]
        if papers and plain and name not in COPIES:
            _check_mixed(func, name, args, kwargs, plain)
        self._count(name, args, kwargs)
        with torch._C._AutoDispatchBelowAutograd():
            out = self.compute(func, name, _each(_held, args), _each(_held, kwargs))
        if any(x.held.shape != x.shape for x in papers):
            raise NotImplementedError(f"{func} changes a shape in place, which paper cannot follow")
        known = {id(x.held): x for x in papers} | {id(x): x for x in plain}  # changed in place: the same comes back
        return _each(lambda x: _shown(x, known), out) if _lands_on_gpu(kwargs, papers) else out

    def compute(self, func, name, args, kwargs):
        """The arithmetic, on plain CPU tensors."""
        return func(*args, **kwargs)

    def _count(self, name, args, kwargs):
        """Copies wait in both directions: PyTorch synchronises after each that is not ``non_blocking``."""
        self.counts["on GPU"] += 1
        how = name if name in WAITS else None
        if name in COPIES:
            source = isinstance(args[name == "copy_"], PaperTensor)
            target = isinstance(args[0], PaperTensor) if name == "copy_" else _lands_on_gpu(kwargs, [args[0]] * source)
            self.counts["to CPU"] += source and not target
            self.counts["to GPU"] += target and not source
            how = None if source == target else "to GPU" if target else "to CPU"
        if name in INDEXING:
            indices = [x for x in args[1] if isinstance(x, Tensor)]
            by_mask = any(x.dtype == torch.bool for x in indices)
            how = f"{name} by mask" if by_mask else f"{name} from the CPU" if any(map(_is_plain, indices)) else None
        self.waits.update([how] if how else [])


def _check_mixed(func, name, args, kwargs, plain):
    """Raise what CUDA raises about tensors of both devices; ``plain`` are those on the CPU."""
    if name in INDEXING:
        if not isinstance(args[0], PaperTensor):
            raise RuntimeError("indices should be either on cpu or on the same device as the indexed tensor (cpu)")
        plain = [x for x in plain if not any(x is index for index in args[1])]
    if name in ("masked_fill", "masked_fill_") and len({x.device for x in args[:2]}) == 2:
        where = f"mask on {args[1].device} and self on {args[0].device}"
        raise RuntimeError(f"expected self and mask to be on the same device, but got {where}")
    given = dict(zip((a.name for a in func._schema.arguments), args, strict=False)) | kwargs
    written = [given.get(a.name) for a in func._schema.arguments if a.alias_info and a.alias_info.is_write]
    if any(x.dim() > 0 or name in STRICT or any(x is w for w in written) for x in plain):
        raise RuntimeError(MIXED)


def _lands_on_gpu(kwargs, papers) -> bool:
    return bool(papers) if kwargs.get("device") is None else _is_gpu(kwargs["device"])


def _held(x):
    return x.held if isinstance(x, PaperTensor) else CPU if _is_gpu(x) else x


def _shown(x, known):
    if not isinstance(x, Tensor):
        return x
    return known[id(x)] if id(x) in known else PaperTensor(x)


def _each(change, x):
    """``change`` of everything in the lists, tuples and dictionaries that operations take and give."""
    if isinstance(x, list | tuple):
        return type(x)(_each(change, y) for y in x)
    return {name: _each(change, y) for name, y in x.items()} if isinstance(x, dict) else change(x)


def _tensors(x):
    if isinstance(x, list | tuple | dict):
        return [found for y in (x.values() if isinstance(x, dict) else x) for found in _tensors(y)]
    return [x] if isinstance(x, Tensor) else []


def _is_plain(x) -> bool:
    return isinstance(x, Tensor) and not isinstance(x, PaperTensor)


def _is_gpu(x) -> bool:
    return isinstance(x, str | torch.device) and str(x).split(":")[0] in ("cuda", "lazy")


# --- before C++ sees it ---------------------------------------------------------------------------------------------


@contextmanager
def _swapping_parameters():
    """``Module.to`` keeps its parameters and their ties, as it does on CUDA."""
    before = torch.__future__.get_swap_module_params_on_conversion()
    torch.__future__.set_swap_module_params_on_conversion(True)
    yield
    torch.__future__.set_swap_module_params_on_conversion(before)


class _Front(TorchFunctionMode):
    """Translates the device before C++ reads it, and checks generators, which C++ does not hand on as they are."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = {name: INSIDE if name == "device" and _is_gpu(x) else x for name, x in (kwargs or {}).items()}
        kwargs.pop("pin_memory", None)
        _check_generator(args, kwargs)
        if func is Tensor.pin_memory:
            return args[0]
        if func is Tensor.cuda:
            return args[0].to(INSIDE)
        if func is Tensor.to:
            args = tuple(INSIDE if _is_gpu(x) else x for x in args)
        if func in TURNS and isinstance(args[0], PaperTensor):
            return _turned(func, args, kwargs)
        if func in (Tensor.__getitem__, Tensor.__setitem__) and isinstance(args[0], PaperTensor):
            args = (args[0], _index(args[1]), *args[2:])
        if func in MADE and _is_gpu(kwargs.get("device") or _device.CURRENT_DEVICE):
            return _made(func, args, kwargs)
        return func(*args, **kwargs)


def _check_generator(args, kwargs):
    generator = next((x for x in (*args, *kwargs.values()) if isinstance(x, torch.Generator)), None)
    if generator is None:
        return
    place = kwargs.get("device") or next((x.device for x in args if isinstance(x, Tensor)), CPU)
    here, there = ("cuda" if _is_gpu(x) else "cpu" for x in (place, generator.device))
    if here != there:
        raise RuntimeError(f"Expected a '{here}' device type for generator but found '{there}'")


def _turned(func, args, kwargs):
    turned = getattr(args[0].held, func.__name__[:-1])(*args[1:], **kwargs)
    torch.utils.swap_tensors(args[0], PaperTensor(turned))
    return args[0]


def _index(index):
    """Lists become tensors where C++ would make them, on the indexed tensor's device."""
    if isinstance(index, tuple):
        return tuple(map(_index, index))
    return torch.tensor(index, device=CPU).to(INSIDE) if isinstance(index, list) else index


def _made(func, args, kwargs):
    """A tensor from Python's numbers: first where those are, then over."""
    learns = kwargs.pop("requires_grad", False)
    kwargs["device"] = None if any(isinstance(x, PaperTensor) for x in args) else CPU
    with torch._C.DisableTorchFunction():  # or a default device would be put in
        made = func(*args, **kwargs)
    return made.to(INSIDE).requires_grad_(learns)


# --- two models of its rounding -------------------------------------------------------------------------------------

FIRST = {"mm": 0, "bmm": 0, "addmm": 1, "baddbmm": 1}  # matrix products, and where their first factor stands


class OtherOrder(PaperGPU):
    """Sums each matrix product in two parts; where the cut is depends on the number of rows, as kernels do."""

    def compute(self, func, name, args, kwargs):
        if name not in FIRST or args[FIRST[name]].shape[-1] < 4 or not args[FIRST[name]].is_floating_point():
            return func(*args, **kwargs)
        *rest, a, b = args[: FIRST[name] + 2]
        cut = max(1, a.shape[-1] * (1 + a.shape[-2] % 5) // 7)
        first = func(*rest, a[..., :cut], b[..., :cut, :], **kwargs)
        return first + torch.matmul(a[..., cut:], b[..., cut:, :]) * kwargs.get("alpha", 1)


class TF32(PaperGPU):
    """Rounds the factors of each matrix product to ten bits behind the point."""

    def compute(self, func, name, args, kwargs):
        if name in FIRST and args[FIRST[name]].dtype == torch.float32:
            *rest, a, b = args[: FIRST[name] + 2]
            a, b = (((x.contiguous().view(torch.int32) + 0x1000) & ~0x1FFF).view(torch.float32) for x in (a, b))
            args = (*rest, a, b)
        return func(*args, **kwargs)
