"""`run.watch`: a PyTorch model's layers, and histograms of its parameters and gradients.

Between two looks it costs one call a forward pass. A look's hooks on the tensors last for that one backward pass. The
model stays what it is: a copy or a pickle of it holds nothing of ours.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Callable, Optional

from martlet._delivery import warn
from martlet._histogram import BINS, Histogram
from martlet._values import Unloggable, words

if TYPE_CHECKING:
    from martlet._run import Run

LOGS = ("gradients", "parameters", "all", None)
MOST_LAYERS = 5000
MOST_TENSORS = 1000  # of one model that get histograms


class Watch:
    """One model's. Raises Unloggable for what is no PyTorch module; what fails later is said once and ends it."""

    def __init__(self, run: Run, model: Any, log: Optional[str], log_freq: int, name: str) -> None:
        if log not in LOGS:
            raise Unloggable(f"log is gradients, parameters, all or None, not {words(log)[:40]!r}")
        if type(log_freq) is not int or log_freq < 1:
            raise Unloggable(f"log_freq is a whole number from 1 on, not {words(log_freq)[:40]!r}")
        if not callable(getattr(model, "named_modules", None)) or not callable(
            getattr(model, "register_forward_hook", None)
        ):
            raise Unloggable(f"watch takes a PyTorch module, not a {type(model).__name__}")
        self.model = model
        self._run = run
        self._torch = sys.modules["torch"]
        self._gradients = log in ("gradients", "all")
        self._parameters = log in ("parameters", "all")
        self._every = log_freq
        self._name = f"{name}/" if name else ""
        self._calls = 0
        self._failed = False
        self._turn = threading.Lock()
        self._ready: dict[str, Histogram] = {}  # to be logged at the next call, when that step's row is
        self._layers = _layers_of(model)
        self._hooks: list[Any] = []  # of the model, until the end
        self._armed: list[Any] = []  # of its tensors, for one backward pass
        self._shape_hooks: list[Any] = []  # of its modules, for one call
        self._shapes: dict[str, tuple[Any, Any]] = {}
        self._tell_layers()
        for at, module in model.named_modules():
            if at in self._layers:
                self._shape_hooks.append(module.register_forward_hook(_Hook(self, self._shaped, at)))
        self._hooks.append(model.register_forward_hook(_Hook(self, self._called)))

    def end(self) -> None:
        """Takes all hooks off, and logs what is ready."""
        for hooks in (self._hooks, self._armed, self._shape_hooks):
            while hooks:
                hooks.pop().remove()
        self._log()

    def failed(self, error: Exception) -> None:
        """Nothing is looked at any more. The hooks stay where they are: they may be just being walked through."""
        self._gradients = self._parameters = False
        if not self._failed:
            self._failed = True
            warn(f"watch ends: {words(error)}")

    def _shaped(self, at: str, _: Any, given: Any, answer: Any) -> None:
        self._shapes.setdefault(at, (_shape(given), _shape(answer)))

    def _called(self, model: Any, given: Any, answer: Any) -> None:
        if self._shape_hooks:
            self._shapes.setdefault("", (_shape(given), _shape(answer)))
            while self._shape_hooks:
                self._shape_hooks.pop().remove()
            self._tell_layers()
        while self._armed:  # their backward pass is over
            self._armed.pop().remove()
        if not (self._gradients or self._parameters) or not model.training:
            return
        if not self._torch.is_grad_enabled():
            return
        self._log()
        self._calls += 1
        if (self._calls - 1) % self._every == 0:
            self._look(model)

    def _look(self, model: Any) -> None:
        for count, (name, tensor) in enumerate(model.named_parameters()):
            if count >= MOST_TENSORS:
                break
            if self._parameters:
                self._take(f"parameters/{self._name}{name}", tensor)
            if self._gradients and tensor.requires_grad:
                self._armed.append(tensor.register_hook(_Hook(self, self._gradient, f"gradients/{self._name}{name}")))

    def _gradient(self, name: str, gradient: Any) -> None:
        """In whatever thread the backward pass runs."""
        self._take(name, gradient)

    def _take(self, name: str, tensor: Any) -> None:
        histogram = self._histogram(tensor)
        if histogram:
            with self._turn:
                self._ready[name] = histogram

    def _log(self) -> None:
        """As a row of the last step that was logged; before the first there is none yet."""
        step = self._run._step
        if step < 0:
            return
        with self._turn:
            ready, self._ready = self._ready, {}
        if ready:
            self._run.log(ready, step)

    def _histogram(self, tensor: Any) -> Optional[Histogram]:
        """Counted on the tensor's own device; two numbers and the counts come from there."""
        torch = self._torch
        with torch.no_grad():
            flat = tensor.detach()
            if flat.is_sparse:
                flat = flat.coalesce().values()
            flat = flat.reshape(-1).float()
            if flat.numel() == 0:
                return None
            low, high = torch.stack(torch.aminmax(flat)).tolist()
            if not abs(low) + abs(high) < float("inf"):
                flat = flat[torch.isfinite(flat)]
                if flat.numel() == 0:
                    return None
                low, high = torch.stack(torch.aminmax(flat)).tolist()
            if high - low < max(abs(low), abs(high), 1e-30) * 1e-6:
                wide = max(0.5 * abs(low), 1e-12) if low else 0.5
                low, high = low - wide, high + wide
            counts = torch.histc(flat, bins=BINS, min=low, max=high).tolist()
        edges = [low + (high - low) * i / BINS for i in range(BINS)] + [high]
        return Histogram(counts=counts, edges=edges)

    def _tell_layers(self) -> None:
        self._run._model(_model_of(self.model, self._layers, self._shapes))


class _Hook:
    """Calls one of ours, and never the program's doom: what fails is said, and the watching ends. A copy of a model,
    and a pickled one, gets a hook of the standard library that does nothing."""

    def __init__(self, watch: Watch, call: Callable[..., None], *first: Any) -> None:
        self._watch = watch
        self._call = call
        self._first = first

    def __call__(self, *given: Any) -> None:
        try:
            self._call(*self._first, *given)
        except Exception as error:
            self._watch.failed(error)

    def __reduce__(self) -> Any:
        return getattr, (contextlib.nullcontext(), "__exit__")


def _layers_of(model: Any) -> dict[str, Any]:
    """The modules that compute something by themselves: those without parts, and those with parameters of their own."""
    found: dict[str, Any] = {}
    for name, module in model.named_modules():
        alone = next(iter(module.children()), None) is None
        if (alone or next(iter(module.parameters(recurse=False)), None) is not None) and len(found) < MOST_LAYERS:
            found[name] = module
    return found


def _model_of(model: Any, layers: Mapping[str, Any], shapes: Mapping[str, tuple[Any, Any]]) -> dict[str, Any]:
    rows = []
    for name, module in layers.items():
        own = list(module.parameters(recurse=False))
        given, answer = shapes.get(name, (None, None))
        rows.append(
            {
                "name": name or type(model).__name__,
                "type": type(module).__name__,
                "parameters": sum(_size(one) for one in own),
                "trainable": sum(_size(one) for one in own if one.requires_grad),
                "input_shape": given,
                "output_shape": answer,
            }
        )
    every = list(model.parameters())
    return {
        "framework": "pytorch",
        "parameters": sum(_size(one) for one in every),
        "trainable": sum(_size(one) for one in every if one.requires_grad),
        "layers": rows,
    }


def _size(tensor: Any) -> int:
    """0 of a lazy one, which has no shape before its first call."""
    try:
        return int(tensor.numel())
    except Exception:
        return 0


def _shape(value: Any) -> Optional[list[int]]:
    """That of the first tensor in it."""
    shape = getattr(value, "shape", None)
    if shape is not None and not callable(shape):
        with contextlib.suppress(Exception):
            return [int(length) for length in shape]
    parts = value.values() if isinstance(value, Mapping) else value if isinstance(value, (list, tuple)) else ()
    return next((found for found in map(_shape, parts) if found is not None), None)
