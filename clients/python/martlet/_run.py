"""A run as the training program sees it. `log()` packs and appends to the spool: it never raises and never waits."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import threading
import time
import uuid
import weakref
from collections.abc import Mapping
from types import FrameType, TracebackType
from typing import Any, Callable, Optional
from urllib.parse import quote

from martlet import _values
from martlet._beside import Beside
from martlet._config import Config
from martlet._delivery import Delivery, warn
from martlet._environment import here
from martlet._fallback import disk_trouble, writable
from martlet._outcome import ending, outcome
from martlet._place import Place
from martlet._spool import ROW, Shape, Spool
from martlet._summary import Summary

LOOK_AFTER = 5_000_000  # microseconds between two looks whether the sender still is there
MOST_SHAPES = 1_000  # sets of names whose packing is kept
LONGEST_ROW = 8 << 20  # bytes of JSON

# What stands in a row's place for its step when it is no row.
_TELL, _FINISH = object(), object()
_PLAIN: dict[str, int] = {}  # in the place of a row's blobs: it is a dictionary of numbers

_alive: weakref.WeakSet[Run] = weakref.WeakSet()


class Run(Beside):
    """Made by `martlet.init()`. Any thread may use it; a forked child is a client of its own to the server."""

    _busy: bool
    _look_at: int

    def __init__(self, place: Optional[Place], *, id: str, name: str, project: str, config: Config) -> None:  # noqa: A002
        super().__init__()
        self._place = place  # None: disabled
        self.id = id
        self.name = name
        self.project = project
        self.dropped = 0  # rows and values that could not be kept
        self._config = config
        self._last_drop = ""
        self._disk_trouble = ""
        self._step = place.last_step if place else -1
        self._summary = Summary(self._summary_set)
        self._latest = self._summary.latest
        self._finished = False
        self._stopping = False
        self._callbacks: list[Callable[[], Any]] = []
        self._spool: Optional[Spool] = None
        self._delivery: Optional[Delivery] = None
        self._owner = os.getpid()
        self._stem = ""
        self._fresh()
        if place:
            self._place = dataclasses.replace(place, spool=writable(place.spool))
            self._open(self._place, _now())
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
        return self._place.directory if self._place else here()

    @property
    def summary(self) -> Summary:
        """The last value that this process logged under each name; `summary[name] = value` sets the run's own word."""
        return self._summary

    @property
    def stopping(self) -> bool:
        """True once the run was asked to stop, for `if run.stopping: break`; `on_stop` must have been called."""
        return self._stopping

    def log(self, values: Mapping[str, Any], step: Optional[int] = None) -> None:
        """Appends one row. `step` absent: one more than this process's last.

        Never raises and never waits for anybody; what could not be kept is counted in `dropped` and said at the end.
        """
        blobs: Mapping[str, int] = _PLAIN
        try:
            if type(values) is not dict or not _values.NUMBERS.issuperset(map(type, values.values())):
                values, blobs = self._encoded(values)
        except Exception as error:  # another library's mapping, or one that another thread changes just now
            self._drop(error)
            return
        self._in_turn(values, step, blobs)

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
        if not self._finished:
            self.unwatch()
            self._in_turn(ending(exit_code, reason, state), _FINISH, {})
        if self._finished:  # not yet, when we are a signal handler inside a log(): the end of the program waits then
            delivery, self._delivery = self._delivery, None
            if delivery:
                try:
                    delivery.wait()
                except Exception as error:  # a disk that went away, say: the program ends as it would
                    warn(f"the end could not be waited for: {error}")

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.finish(**outcome(kind, error))

    def __deepcopy__(self, _: Any) -> Run:
        """A copy of what holds a run (a model, its settings) holds the same run."""
        return self

    def __repr__(self) -> str:
        return f"<martlet.Run {self.id} '{self.name}'>"

    # -- One row ----------------------------------------------------------------------------------------------

    def _in_turn(self, values: Mapping[str, Any], step: Any, blobs: Mapping[str, int]) -> None:
        """Takes one row, or what stands for one, and those that signal handlers log in the meantime."""
        with self._lock:
            at = time.time_ns() // 1000
            if self._busy:  # we are a signal handler inside another log() of this thread, which takes our row too
                self._late.append((values, step, blobs, at))
                return
            while True:
                try:
                    self._busy = True
                    self._take(values, step, blobs, at)
                except Exception as error:  # a full disk, say: the training must go on
                    self._drop(error)
                finally:
                    self._busy = False
                if not self._late:
                    return
                values, step, blobs, at = self._late.pop(0)

    def _take(self, values: Mapping[str, Any], step: Any, blobs: Mapping[str, int], at: int) -> None:
        if step is None:
            step = self._step + 1
        elif type(step) is not int or step.bit_length() > 63:
            if step is _TELL or step is _FINISH:
                self._tell(values, step, blobs, at)
                return
            step = _values.whole(step)
        self._step = step
        spool = self._spool
        if spool is None or at > self._look_at:
            spool = self._looked_after(at)
            if spool is None:
                return
        if blobs is _PLAIN:
            shape = self._shapes.get(tuple(values))
            if shape:
                try:
                    spool.points(shape, step, at, values.values())
                except OverflowError:  # an integer beyond the doubles: it alone is dropped, below
                    pass
                else:
                    self._latest.update(values)
                    return
        self._take_anything(spool, values, step, blobs, at)

    def _take_anything(
        self, spool: Spool, values: Mapping[str, Any], step: int, blobs: Mapping[str, int], at: int
    ) -> None:
        """The way for new names and for what is no plain number."""
        row: dict[str, Any] = {}
        for key, value in list(values.items()):
            try:
                name = _values.name_of(key)
                if spool.name_count >= _values.MOST_NAMES and not spool.knows(name):
                    raise _values.Unloggable(f"a run has at most {_values.MOST_NAMES} metrics")
                row[name] = kept = _values.plain(value)
                if type(kept) in (float, int) and type(value) not in _values.NUMBERS:
                    _values.learn(type(value))
            except Exception as error:  # whatever another library's __float__ raises
                self._drop(error, key)
        if not row:
            return
        if _values.NUMBERS.issuperset(map(type, row.values())):
            names = tuple(row)
            shape = spool.shape(names, at)
            spool.points(shape, step, at, row.values())
            if len(self._shapes) >= MOST_SHAPES:
                self._shapes.clear()
            self._shapes[names] = shape
        else:
            payload = json.dumps(row).encode()
            if len(payload) > LONGEST_ROW:
                raise _values.Unloggable(f"a row of {len(payload)} bytes is too large to log")
            if blobs:
                spool.info({"blobs": blobs}, at)
            spool.row(ROW, step, at, payload)
        self._latest.update(row)

    def _encoded(self, values: Any) -> tuple[Mapping[str, Any], Mapping[str, int]]:
        """Pictures and the like turned into JSON and files, before the row takes its turn: other threads wait for no
        PNG."""
        if self._place is None or self._finished:
            return (values if isinstance(values, Mapping) else {}), {}
        if not isinstance(values, Mapping):
            self._drop(_values.Unloggable(f"log() takes a dictionary, not a {type(values).__name__}"))
            return {}, {}
        from martlet import _typed  # here, since most programs log numbers

        blobs, row = _typed.Blobs(self._place.spool), {}
        for key, value in list(values.items()):
            try:
                row[key] = _typed.encoded(value, blobs)
            except Exception as error:  # an unknown format, a full disk, whatever another library raises
                self._drop(error, key)
        return row, blobs.kept

    def _tell_run(self, what: Mapping[str, Any], blobs: Optional[Mapping[str, int]] = None) -> None:
        """An info record, in its turn among the rows."""
        self._in_turn(what, _TELL, blobs or {})

    def _tell(self, what: Mapping[str, Any], kind: object, blobs: Mapping[str, int], at: int) -> None:
        if self._finished:
            return
        if kind is _TELL:
            spool = self._looked_after(at)
            if spool:
                spool.info({**what, "blobs": blobs} if blobs else what, at)
            return
        self._finished = True
        _alive.discard(self)
        if self.dropped:
            warn(f"{self.dropped} logged values could not be kept; the last one: {self._last_drop}")
        if os.getpid() == self._owner:
            self._console_ends()
        spool, self._spool = self._spool, None
        if spool:
            try:
                spool.end(what, at)
            finally:
                spool.close()
        if self._place and self._place.done and not what.get("exit_code") and os.getpid() == self._owner:
            self._place.done()

    def _drop(self, error: BaseException, key: Any = None) -> None:
        self.dropped += 1
        try:
            self._last_drop = f"{key!r}: {error}" if key is not None else str(error)
        except Exception:  # a key or an error of another library that cannot even be printed
            self._last_drop = type(error).__name__
        trouble = disk_trouble(error, self._place.spool if self._place else "")
        if trouble:
            if not self._disk_trouble:
                warn(f"{trouble}; what is logged is lost until that changes")
            self._disk_trouble = self._last_drop = trouble
        elif self.dropped == 1:
            warn(f"could not be logged: {self._last_drop}")

    # -- The process's own ------------------------------------------------------------------------------------

    def _fresh(self) -> None:
        self._lock = threading.RLock()
        self._busy = False
        self._late: list[tuple[Mapping[str, Any], Any, Mapping[str, int], int]] = []
        self._shapes: dict[tuple[str, ...], Shape] = {}
        self._look_at = 0
        self._seen = (0, 0)  # at the last look: the next row's number, and `dropped`

    def _looked_after(self, at: int) -> Optional[Spool]:
        """The spool, opened where this process has none yet; and now and then a look at its sender and its disk."""
        place = self._place
        if place is None:
            return None
        if self._finished:
            raise _values.Unloggable("the run had been finished")
        spool = self._spool or self._open(place, at)
        if at > self._look_at:
            self._look_at = at + LOOK_AFTER
            if self._delivery:
                self._delivery.look_after()
            else:  # Ctrl-C came as it was made
                self._delivery = Delivery(spool, place)
            if self._disk_trouble and spool.seq > self._seen[0] and self.dropped == self._seen[1]:
                warn(f"the disk takes rows again; {self.dropped} logged values were lost")
                self._disk_trouble = ""
            self._seen = (spool.seq, self.dropped)
        return spool

    def _open(self, place: Place, at: int) -> Spool:
        own = os.getpid() == self._owner
        spool = Spool(place.spool, uuid.uuid4().hex, place.first if own else {**place.first, "finish": False}, at)
        if own and not self._stem:
            self._stem = spool.path.removesuffix(".spool")
            if place.opening:
                spool.info(place.opening, at)
            self._want(place)
            if place.console:
                self._keep_console()
        self._spool = spool
        self._delivery = Delivery(spool, place)
        if own and place.wanted:
            self._delivery.observe()
        self._look_at = at + LOOK_AFTER
        return spool

    @property
    def _watched(self) -> Run:
        return self

    def _config_changed(self, changes: Mapping[str, Any]) -> None:
        self._tell_run({"config": _values.described(changes)})

    def _summary_set(self, changes: Mapping[str, Any]) -> None:
        values, blobs = self._encoded(changes)
        told = {}
        for key, value in values.items():
            try:
                told[_values.name_of(key)] = _values.plain(value)
            except Exception as error:
                self._drop(error, key)
        if told:
            self._tell_run({"patch": {"summary": told}}, blobs)

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


def _now() -> int:
    return time.time_ns() // 1000


def _forked() -> None:
    for run in list(_alive):
        run._forked()


os.register_at_fork(after_in_child=_forked)
