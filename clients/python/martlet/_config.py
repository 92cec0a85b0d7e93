"""`run.config`: what a run was started with; in a sweep, what its trial is to try."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any, Callable

from martlet._delivery import warn

Changed = Callable[[dict[str, Any]], None]


class Config(MutableMapping[str, Any]):
    """A dictionary whose keys are attributes too: `config["lr"]` is `config.lr`.

    In a sweep the trial's parameters win: assigning another value to one of them changes nothing and is said once.
    A key with the name of a method (`items`, `update`, …) is reached by `config["items"]` only.
    """

    def __init__(self, given: Any = None, parameters: Mapping[str, Any] | None = None) -> None:
        chosen = dict(parameters or {})
        vars(self).update(_parameters=chosen, _values=merged(as_mapping(given), chosen), _changed=None, _said=set())

    def tell(self, changed: Changed) -> None:
        """From now on `changed` hears of every change."""
        vars(self)["_changed"] = changed

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.update({key: value})

    def __delitem__(self, key: str) -> None:
        raise TypeError(f"a configuration keeps what it was given: '{key}' cannot be deleted, only changed")

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __getattr__(self, key: str) -> Any:
        if not key.startswith("__"):
            values = self.__dict__.get("_values", {})
            if key in values:
                return values[key]
            known = ", ".join(sorted(map(str, values))) or "nothing"
            raise AttributeError(f"the configuration has no '{key}'; it has {known}")
        raise AttributeError(key)

    def __setattr__(self, key: str, value: Any) -> None:
        self.update({key: value})

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._values]

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy, also one that is pickled (beside a model's weights, say), is a configuration that tells nobody."""
        return Config, (self.as_dict(), self._parameters)

    def __repr__(self) -> str:
        return f"Config({self._values!r})"

    def update(self, *given: Any, **more: Any) -> None:
        """Takes over a dictionary, an `argparse.Namespace` or keywords: each of these keys gets its new value whole, a
        nested dictionary too; the others stay."""
        wanted: dict[str, Any] = {}
        for one in given:
            wanted.update(as_mapping(one))
        wanted.update(more)
        kept = {key: merged({key: value}, self._parameters_of(key))[key] for key, value in wanted.items()}
        for key, value in wanted.items():
            if key in self._parameters and key not in self._said and not _same(kept[key], value):
                self._said.add(key)
                warn(f"config '{key}' stays {kept[key]!r}: the sweep chose it")
        self._values.update(kept)
        if self._changed and kept:
            self._changed(kept)

    def as_dict(self) -> dict[str, Any]:
        """A plain copy."""
        return dict(self._values)

    def _parameters_of(self, key: str) -> dict[str, Any]:
        return {key: self._parameters[key]} if key in self._parameters else {}


def as_mapping(given: Any) -> dict[str, Any]:
    """A dictionary, or an object whose attributes are one (argparse.Namespace, a dataclass)."""
    if given is None:
        return {}
    if isinstance(given, Mapping):
        return {str(key): value for key, value in given.items()}
    if dataclasses.is_dataclass(given) and not isinstance(given, type):  # it may have slots
        return {one.name: getattr(given, one.name) for one in dataclasses.fields(given)}
    if hasattr(given, "__dict__"):
        return {key: value for key, value in vars(given).items() if not key.startswith("_")}
    raise TypeError(f"a configuration is a dictionary or a Namespace, not a {type(given).__name__}")


def _same(one: Any, other: Any) -> bool:
    try:
        return bool(one == other)
    except Exception:  # arrays, whose comparison is an array
        return False


def merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`over` laid over `under`, dictionaries within key by key."""
    result = dict(under)
    for key, value in over.items():
        below = result.get(key)
        result[key] = merged(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return result
