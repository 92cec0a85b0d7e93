"""What a run takes besides rows: how metrics are shown, alerts, files, a model's table and tensors.

As `log`, none of it raises."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Optional

from martlet import _metrics, _values
from martlet._delivery import Delivery, warn
from martlet._place import Place
from martlet._values import words

if TYPE_CHECKING:
    from martlet._run import Run
    from martlet._watch import Watch

LEVELS = {"info": "info", "warn": "warn", "warning": "warn", "error": "error"}
ALERT_EVERY = 60.0  # seconds between two alerts of one title, unless the call says otherwise
LONGEST_TITLE = 200  # characters
LONGEST_TEXT = 10_000


class Beside:
    """The part of `Run` that this is."""

    _place: Optional[Place]
    _delivery: Optional[Delivery]
    _finished: bool
    _stem: str  # of the files of the client that began the run

    def __init__(self) -> None:
        self._alerted: dict[str, float] = {}  # by title: when
        self._watches: list[Watch] = []

    def _tell_run(self, what: Mapping[str, Any], blobs: Optional[Mapping[str, int]] = None) -> None:
        raise NotImplementedError

    def define_metric(
        self,
        name: str,
        *,
        summary: Optional[str] = None,
        step_metric: Optional[str] = None,
        goal: Optional[str] = None,
        hidden: Optional[bool] = None,
    ) -> None:
        """Says how a metric is shown. `name` may end in `*` and then holds for all that begin so.

        `summary`: last, min, max, mean, best or none. `step_metric`: the metric that is its x axis. `goal`: minimize
        or maximize. `hidden`: no chart of its own. Never raises: what cannot be said so is warned of.
        """
        try:
            wanted = _metrics.definition(name, summary, step_metric, goal, hidden)
        except Exception as error:
            warn(f"define_metric has no effect: {words(error)}")
        else:
            self._tell_run({"patch": {"metrics": wanted}})

    def alert(self, title: str, text: str = "", level: str = "info", wait_duration: float = ALERT_EVERY) -> bool:
        """Tells whoever follows the run. `level`: info, warn or error. Another one of the same title within
        `wait_duration` seconds is left out. True when it was taken; never raises."""
        try:
            title = words(title).strip()[:LONGEST_TITLE]
            named = LEVELS.get(str(getattr(level, "value", level)).lower())
            if not title or named is None:
                raise ValueError(f"it needs a title, and a level of info, warn or error, not {words(level)[:40]!r}")
            now = time.monotonic()
            if self._place is None or self._finished or now < self._alerted.get(title, now):
                return False
            if len(self._alerted) > 10_000:
                self._alerted.clear()
            self._alerted[title] = now + float(wait_duration)
            alert = {"title": title, "text": words(text)[:LONGEST_TEXT], "level": named, "key": uuid.uuid4().hex}
            self._tell_run({"alert": {key: value for key, value in alert.items() if value}})
        except Exception as error:
            warn(f"the alert is lost: {words(error)}")
            return False
        return True

    def save(self, files: Any, base: Any = None, policy: str = "now") -> list[str]:
        """Keeps files with the run: a path, a folder, or a pattern (`out/*.png`, `**` for folders below), or a list of
        such. Returns the names that those have which are there now.

        `base` is the folder that names are relative to; by default the current one, and of a path that is absolute
        the folder that it names. `policy`: "now" copies them as they are; "end" when the run has ended; "live" then
        too and, until then, ten seconds or so after each change. Never raises: what cannot be kept is said.
        """
        found: list[str] = []
        for one in files if isinstance(files, (list, tuple, set, frozenset)) else (files,):
            try:
                found += self._save(one, base, policy)
            except Exception as error:  # the others are kept
                warn(f"save: {words(error)}")
        return found

    def _save(self, files: Any, base: Any, policy: str) -> list[str]:
        from martlet import _saving, _typed

        rule = _saving.rule(files, base, policy)
        if self._place is None:
            return []
        if self._finished:
            raise _values.Unloggable("the run had been finished")
        found = []
        if policy != "now":
            found = [name for name, _ in _saving.matches(rule)]
            from martlet import _wishes

            _wishes.append(self._stem + ".wanted", {"save": rule._asdict()})
            if self._delivery:
                self._delivery.observe()
            return found
        blobs = _typed.Blobs(self._place.spool)
        kept: dict[str, dict[str, Any]] = {}
        for name, path in _saving.matches(rule):
            try:
                file = blobs.keep_file(path)
            except (OSError, _values.Unloggable) as error:
                warn(f"save: {words(error)}")
                continue
            kept[name] = {"sha256": file["blob"], "size": file["size"]}
            found.append(name)
        if kept:
            self._tell_run({"files": kept})
        elif not found:
            warn(f"save: there is no file {rule.pattern}")
        return found

    def watch(self, model: Any, log: Optional[str] = "gradients", log_freq: int = 1000, name: str = "") -> None:
        """Keeps the layers of a PyTorch model (types, parameters, shapes as the first call shows them), and each
        `log_freq` calls in training the histograms of its gradients, its parameters, of both ("all") or none (None).

        `name` tells several models apart. Never raises; the hooks are gone with `unwatch` and when the run ends.
        """
        try:
            from martlet._watch import Watch

            if self._place is not None and not self._finished:
                self._watches.append(Watch(self._watched, model, log, log_freq, name))
        except Exception as error:
            warn(f"watch has no effect: {words(error)}")

    def unwatch(self, model: Any = None) -> None:
        """Takes the hooks of `watch` off this model, or off all. Never raises."""
        try:
            for watch in list(self._watches):
                if model is None or watch.model is model:
                    self._watches.remove(watch)
                    watch.end()
        except Exception as error:
            warn(f"unwatch: {words(error)}")

    def _model(self, model: Mapping[str, Any]) -> None:
        """The table of its layers, for GET /runs/:run/model."""
        self._tell_run({"patch": {"model": model}})

    @property
    def _watched(self) -> Run:
        raise NotImplementedError

    def _keep_console(self) -> None:
        """What is printed from now on; what a new process prints that was forked goes along."""
        from martlet._console import the_console

        try:
            the_console().begin(self._stem)
        except Exception as error:
            warn(f"what is printed is not kept: {words(error)}")

    def _console_ends(self) -> None:
        if self._place and self._place.console:
            from martlet._console import the_console

            the_console().end()

    def _want(self, place: Place) -> None:
        """Tells the observer, before it is started."""
        if place.wanted:
            from martlet import _wishes

            try:
                _wishes.append(self._stem + ".wanted", place.wanted)
            except OSError as error:
                warn(f"what the run runs in is not kept: {error}")
