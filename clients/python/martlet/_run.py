"""A run as the training program sees it. `log()` packs and appends to the spool: it never raises and never waits."""

from __future__ import annotations

import json
import operator
import os
import signal
import struct
import threading
import time
import uuid
import weakref
from collections.abc import Mapping
from types import FrameType, TracebackType
from typing import Any, Callable, Optional
from urllib.parse import quote

from martlet import _values
from martlet._config import Config
from martlet._delivery import Delivery, warn
from martlet._place import Place
from martlet._spool import POINTS, ROW, Spool

LOOK_AFTER = 5_000_000  # microseconds between two looks whether the sender still is there
MOST_SHAPES = 1_000  # sets of names whose packing is kept
LONGEST_ROW = 8 << 20  # bytes of JSON

# What stands in a row's place for its step when it is no row.
_CONFIG, _FINISH = object(), object()

_alive: weakref.WeakSet[Run] = weakref.WeakSet()


class Run:
    """Made by `martlet.init()`. Any thread may use it; a forked child is a client of its own to the server."""

    _busy: bool
    _look_at: int

    def __init__(self, place: Optional[Place], *, id: str, name: str, project: str, config: Config) -> None:  # noqa: A002
        self._place = place  # None: disabled
        self.id = id
        self.name = name
        self.project = project
        self.dropped = 0  # rows and values that could not be kept
        self._config = config
        self._last_drop = ""
        self._step = -1
        self._latest: dict[str, Any] = {}
        self._finished = False
        self._stopping = False
        self._callbacks: list[Callable[[], Any]] = []
        self._spool: Optional[Spool] = None
        self._delivery: Optional[Delivery] = None
        self._owner = os.getpid()
        self._fresh()
        if place:
            self._open(place, _now())
        config.tell(self._config_changed)
        _alive.add(self)

    # -- What a program calls ---------------------------------------------------------------------------------

    @property
    def config(self) -> Config:
        """The configuration; in a sweep it holds the trial's parameters."""
        return self._config

    @property
    def url(self) -> Optional[str]:
        """The run's page, or None where no server knows it."""
        credentials = self._place.credentials if self._place else None
        return f"{credentials.url}/p/{quote(self.project, safe='')}/runs/{self.id}" if credentials else None

    @property
    def dir(self) -> str:
        """The folder for what the program writes: MARTLET_RUN_DIR in an attempt, else what `directory` said, else the
        current one."""
        return self._place.directory if self._place else os.getcwd()

    @property
    def summary(self) -> dict[str, Any]:
        """The last value that this process logged under each name (a copy)."""
        return dict(self._latest)

    @property
    def stopping(self) -> bool:
        """True once the run was asked to stop, for `if run.stopping: break`; `on_stop` must have been called."""
        return self._stopping

    def log(self, values: Mapping[str, Any], step: Optional[int] = None) -> None:
        """Appends one row. `step` absent: one more than this process's last.

        Never raises and never waits for anybody; what could not be kept is counted in `dropped` and said at the end.
        """
        with self._lock:
            self._late.append((values, step, time.time_ns() // 1000))
            # Busy: we are a signal handler inside another log() of this thread, which takes our row too.
            while self._late and not self._busy:
                self._busy = True
                try:
                    self._take(*self._late.pop(0))
                except Exception as error:  # a full disk, say: the training must go on
                    self._drop(error)
                finally:
                    self._busy = False

    def on_stop(self, callback: Optional[Callable[[], Any]] = None) -> None:
        """Calls `callback()` when the run is asked to stop: save what you need and leave.

        The callback runs in the main thread, between two instructions; it may call `log`. Only the main thread can
        ask for this.
        """
        if callback is not None:
            self._callbacks.append(callback)
        if self._place is None:
            return
        try:
            signal.signal(signal.SIGUSR1, self._asked_to_stop)
            with open(os.path.join(self._place.spool, "stop_signal"), "w", encoding="utf-8") as file:
                file.write("USR1\n")
        except (ValueError, OSError) as error:
            warn(f"on_stop has no effect: {error}")

    def finish(self, exit_code: int = 0, reason: Optional[str] = None, state: Optional[str] = None) -> None:
        """Ends the run and waits until the server has everything, at most MARTLET_FINISH_TIMEOUT seconds (30).

        Called by itself when the program ends; a second call does nothing. `reason` is a sentence; `state` is one of
        finished, failed, crashed, stopped, for when the exit code alone does not tell.
        """
        end = {"exit_code": exit_code, "reason": reason and reason[:1000], "state": state}
        self._later({key: value for key, value in end.items() if value is not None}, _FINISH)
        if self._finished:  # not yet, when we are a signal handler inside a log(): the end of the program waits then
            delivery, self._delivery = self._delivery, None
            if delivery:
                delivery.wait()

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.finish(**outcome(kind, error))

    def __repr__(self) -> str:
        return f"<martlet.Run {self.id} '{self.name}'>"

    # -- One row ----------------------------------------------------------------------------------------------

    def _take(self, values: Mapping[str, Any], step: Any, at: int) -> None:
        if step is None:
            step = self._step + 1
        elif step is _CONFIG or step is _FINISH:
            self._tell(values, step, at)
            return
        else:
            step = _whole(step)
        self._step = step
        spool = self._spool
        if spool is None:
            if self._place is None:
                return
            if self._finished:
                raise _values.Unloggable("the run had been finished")
            spool = self._open(self._place, at)
        if at > self._look_at and self._delivery:
            self._look_at = at + LOOK_AFTER
            self._delivery.look_after()
        if type(values) is dict and _values.NUMBERS.issuperset(map(type, values.values())):
            shape = self._shapes.get(tuple(values))
            if shape:
                try:
                    payload = shape[0].pack(shape[1], *values.values())
                except OverflowError:  # an integer beyond the doubles: it alone is dropped, below
                    pass
                else:
                    spool.row(POINTS, step, at, payload)
                    self._latest.update(values)
                    return
        self._take_anything(spool, values, step, at)

    def _take_anything(self, spool: Spool, values: Mapping[str, Any], step: int, at: int) -> None:
        """The way for new names and for what is no plain number."""
        if not isinstance(values, Mapping):
            raise _values.Unloggable(f"log() takes a dictionary, not a {type(values).__name__}")
        row: dict[str, Any] = {}
        for key, value in list(values.items()):
            try:
                name = _values.name_of(key)
                if spool.name_count >= _values.MOST_NAMES and not spool.knows(name):
                    raise _values.Unloggable(f"a run has at most {_values.MOST_NAMES} metrics")
                row[name] = _values.plain(value)
            except Exception as error:  # whatever another library's __float__ raises
                self._drop(error, key)
        if not row:
            return
        if _values.NUMBERS.issuperset(map(type, row.values())):
            names = tuple(row)
            ids = spool.ids(names, at)
            layout = struct.Struct(f"<{len(ids)}s{len(names)}d")
            spool.row(POINTS, step, at, layout.pack(ids, *row.values()))
            if len(self._shapes) >= MOST_SHAPES:
                self._shapes.clear()
            self._shapes[names] = (layout, ids)
        else:
            payload = json.dumps(row).encode()
            if len(payload) > LONGEST_ROW:
                raise _values.Unloggable(f"a row of {len(payload)} bytes is too large to log")
            spool.row(ROW, step, at, payload)
        self._latest.update(row)

    def _later(self, what: Mapping[str, Any], kind: object) -> None:
        """Takes its turn among the rows, as `log` does: a signal handler may be anywhere inside one."""
        self.log(what, kind)  # type: ignore[arg-type]

    def _tell(self, what: Mapping[str, Any], kind: object, at: int) -> None:
        if self._finished:
            return
        if kind is _CONFIG:
            if self._spool:
                self._spool.info({"config": _values.described(what)}, at)
            return
        self._finished = True
        _alive.discard(self)
        if self.dropped:
            warn(f"{self.dropped} logged values could not be kept; the last one: {self._last_drop}")
        spool, self._spool = self._spool, None
        if spool:
            try:
                spool.end(what, at)
            finally:
                spool.close()

    def _drop(self, error: BaseException, key: Any = None) -> None:
        self.dropped += 1
        try:
            self._last_drop = f"{key!r}: {error}" if key is not None else str(error)
        except Exception:  # a key or an error of another library that cannot even be printed
            self._last_drop = type(error).__name__
        if self.dropped == 1:
            warn(f"could not be logged: {self._last_drop}")

    # -- The process's own ------------------------------------------------------------------------------------

    def _fresh(self) -> None:
        self._lock = threading.RLock()
        self._busy = False
        self._late: list[tuple[Mapping[str, Any], Any, int]] = []
        self._shapes: dict[tuple[str, ...], tuple[struct.Struct, bytes]] = {}
        self._look_at = 0

    def _open(self, place: Place, at: int) -> Spool:
        own = os.getpid() == self._owner
        spool = Spool(place.spool, uuid.uuid4().hex, place.first if own else {**place.first, "finish": False}, at)
        if own and place.opening:
            spool.info(place.opening, at)
        self._spool = spool
        self._delivery = Delivery(spool, place)
        self._look_at = at + LOOK_AFTER
        return spool

    def _config_changed(self, changes: Mapping[str, Any]) -> None:
        self._later(changes, _CONFIG)

    def _asked_to_stop(self, _number: int, _frame: Optional[FrameType]) -> None:
        self._stopping = True
        for callback in self._callbacks:
            callback()

    def _forked(self) -> None:
        """In a child: it lets go of the parent's lock, and opens a spool of its own when it first logs."""
        if self._spool:
            self._spool.close()
            self._spool = None
        if self._delivery:
            self._delivery.forget()
            self._delivery = None
        self.dropped = 0
        self._fresh()


def outcome(kind: Optional[type[BaseException]], error: Optional[BaseException]) -> dict[str, Any]:
    """How a program ended that was left by this exception, in the words of `finish`."""
    if kind is None:
        return {"exit_code": 0}
    if issubclass(kind, SystemExit):
        return exited(getattr(error, "code", None))
    if issubclass(kind, KeyboardInterrupt):
        return {"exit_code": 130, "reason": "Interrupted from the keyboard.", "state": "stopped"}
    text = str(error)
    return {"exit_code": 1, "reason": f"{kind.__name__}: {text}" if text else kind.__name__}


def exited(status: Any) -> dict[str, Any]:
    """What `sys.exit(status)` means."""
    if status is None or isinstance(status, int):
        return {"exit_code": int(status or 0) & 0xFF}
    return {"exit_code": 1, "reason": str(status)}


def _now() -> int:
    return time.time_ns() // 1000


def _whole(step: Any) -> int:
    whole = int(step) if isinstance(step, float) and step.is_integer() else operator.index(step)
    if not -(1 << 63) <= whole < 1 << 63:
        raise _values.Unloggable(f"step {whole} does not fit into 64 bits")
    return whole


def _forked() -> None:
    for run in list(_alive):
        run._forked()


os.register_at_fork(after_in_child=_forked)
