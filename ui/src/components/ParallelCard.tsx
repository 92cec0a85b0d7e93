// The parallel coordinates of a sweep in their card: the heads of the axes, what filters along them, and how curves are coloured.
import { type KeyboardEvent, type PointerEvent, useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { Parameter, Trial } from "../api/types";
import { type AxisChoice, type Brush, brushAfter, moved, readAxes, writeAxes } from "../charts/axes";
import { MARGIN, ParallelChart, type ParallelAxis } from "../charts/parallel";
import { ink } from "../charts/ink";
import { formatMetric, formatValue, plural } from "../format";
import { navigate, pathOf, place, setQuery } from "../router";
import { type Objective, valueOf } from "../store/objectives";
import { axesOf, both, coloursBy, dimensionsOf, fanned, keptBy, parameterOf, placesOf, topOf } from "../store/parallel";
import { useStore } from "../store/store";
import { Button } from "./basics";
import { Menu, type MenuItem } from "./Menu";

interface Props {
  project: string;
  parameters: readonly Parameter[];
  trials: readonly Trial[];
  objectives: readonly Objective[];
  lit: number | null;
  onLit: (trial: number | null) => void;
  /** The numbers of the trials that the brushes hold; null: there is none. */
  onBrush: (trials: ReadonlySet<number> | null) => void;
}

const ROOM = 76; // pixels that an axis needs at least
const CLICK = 4; // pixels within which a press is no drag

export function ParallelCard({ project, parameters, trials, objectives, lit, onLit, onBrush }: Props) {
  const { query } = useStore(place);
  const [brushes, setBrushes] = useState<ReadonlyMap<string, Brush>>(new Map());
  const dimensions = useMemo(() => dimensionsOf(parameters, objectives), [parameters, objectives]);
  const ids = useMemo(() => dimensions.map(({ id }) => id), [dimensions]);
  const text = query.get("axes");
  const choices = useMemo(() => readAxes(text, ids), [text, ids]);
  const colourID = query.get("colour") ?? "@0";
  const colourBy = dimensions.find(({ id }) => id === colourID) ?? dimensions[dimensions.length - 1];
  const plain = useMemo(() => axesOf(dimensions, choices, trials, brushes), [dimensions, choices, trials, brushes]);
  const first = useMemo(() => Float64Array.from(trials, (trial) => (trial.state === "failed" ? NaN : valueOf(trial, 0))), [trials]);
  const maximise = objectives[0]?.maximise ?? false;
  const percent = objectives.length === 0 ? 100 : percentOf(query.get("top"));
  const kept = useMemo(() => both(keptBy(plain, trials.length), topOf(first, maximise, percent)), [plain, trials, first, maximise, percent]);
  const colouring = useMemo(
    () => (colourBy ? coloursBy(colourBy, trials, choices.find(({ id }) => id === colourBy.id)?.scale ?? null) : null),
    [colourBy, trials, choices],
  );
  const axes = useMemo(() => fanned(plain, placesOf(first, maximise)), [plain, first, maximise]);
  const choose = (next: readonly AxisChoice[]) => setQuery({ axes: writeAxes(next, ids) });
  const change = (id: string, to: Partial<AxisChoice>) => choose(choices.map((each) => (each.id === id ? { ...each, ...to } : each)));
  const placeAxis = (id: string, to: number) => {
    // Places count among the axes in sight.
    const shown = choices.filter(({ hidden }) => !hidden);
    const mine = shown.find((each) => each.id === id);
    if (!mine || to < 0 || to >= shown.length || shown[to] === mine) return;
    choose([...moved(shown, mine, to), ...choices.filter(({ hidden }) => hidden)]);
  };
  const brush = (id: string, to: Brush | null) => {
    const axis = plain.find((each) => each.id === id)?.axis;
    const next = new Map(brushes);
    if (to === null || !axis) next.delete(id);
    else next.set(id, { from: axis.unit(to.from), to: axis.unit(to.to) });
    setBrushes(next);
  };
  useEffect(() => {
    onBrush(kept === null ? null : new Set(trials.flatMap(({ number }, i) => (kept[i] === 1 ? [number] : []))));
  }, [kept, trials, onBrush]);

  const rowsOf = useCallback((at: number) => {
    const trial = trials[at]!;
    const colours = ink();
    return dimensions.map((dimension) => {
      const isObjective = "objective" in dimension;
      const value = isObjective ? valueOf(trial, dimension.objective) : NaN;
      return {
        colour: isObjective ? colours.accent : "transparent", name: dimension.name, hot: isObjective,
        value: isObjective ? (Number.isFinite(value) ? formatMetric(value) : trial.state) : formatValue(parameterOf(trial, dimension.name)) || "–",
      };
    });
  }, [trials, dimensions]);
  const body = useRef<HTMLElement>(null);
  const chart = useRef<ParallelChart | null>(null);
  useEffect(() => {
    const made = new ParallelChart(body.current!, "Parameters");
    made.onHot = onLit;
    made.onOpen = (run) => navigate(pathOf({ page: "run", project, run }));
    chart.current = made;
    return () => {
      made.close();
      chart.current = null;
    };
  }, [onLit, project]);
  const rows = useMemo(() => trials.map(({ number, run, run_name }) => ({ number, run, name: run_name ?? `trial ${number}` })), [trials]);
  useEffect(() => {
    if (!chart.current) return;
    chart.current.rowsOf = rowsOf;
    chart.current.set({
      trials: rows, axes, kept, colours: colouring?.shares ?? new Float64Array(trials.length).fill(NaN), classes: colouring?.classes != null,
    });
  }, [rows, axes, kept, colouring, trials, rowsOf, onLit, project]);
  useEffect(() => chart.current?.show(lit), [lit]);

  const held = kept?.reduce((sum, each) => sum + each, 0) ?? trials.length;
  const hidden = choices.filter((each) => each.hidden).length;
  // While a head is dragged it stays where it is among the elements: one that is put elsewhere loses the pointer.
  const [still, setStill] = useState<readonly string[] | null>(null);
  const heads = axes.map((axis, at) => ({ axis, at }));
  if (still) heads.sort((a, b) => still.indexOf(a.axis.id) - still.indexOf(b.axis.id));
  const share = (i: number) => (axes.length < 2 ? 0.5 : i / (axes.length - 1));
  return (
    <section className="chart-card parallel-card" aria-label="Parameters">
      <header className="chart-head">
        <h3>Parameters <span className="muted wide-only">drag along an axis to filter, its name to move it</span></h3>
        <span className="parallel-tools">
          <output className="small muted">{kept === null ? "" : `${held} of ${plural(trials.length, "trial")}`}</output>
          {kept === null ? null : <Button onClick={() => {
            setBrushes(new Map());
            setQuery({ top: null });
          }}>Clear the filter</Button>}
          {text === null ? null : (
            <Button onClick={() => setQuery({ axes: null })}>{hidden > 0 ? `Show all axes (${hidden} left out)` : "Axes as in the file"}</Button>
          )}
        </span>
      </header>
      <div className="parallel-scroll">
        <div className="parallel" style={{ minWidth: `${axes.length * ROOM}px` }}>
          {heads.map(({ axis: each, at }) => (
            <AxisHead key={each.id} axis={each} at={at} count={axes.length} isColour={each.id === colourBy?.id}
              choice={choices.find(({ id }) => id === each.id)!} onPlace={(to) => placeAxis(each.id, to)}
              onDrag={(begins) => setStill(begins ? axes.map(({ id }) => id) : null)}
              onChange={(to) => change(each.id, to)} onColour={() => setQuery({ colour: each.id === "@0" ? null : each.id })} />
          ))}
          <figure className="chart" ref={body} aria-label="Each trial as a line through its parameters to what it came to; the table below holds the same numbers" />
          {axes.map((each, i) => (
            <AxisBrush key={each.id} axis={each} left={position(share(i))} onBrush={(to) => brush(each.id, to)} />
          ))}
        </div>
      </div>
      {colourBy && colouring ? (
        <footer className="chart-foot">
          <label className="axis-choice"><span className="muted">Colour</span>
            <select className="select" value={colourBy.id} onChange={(event) => setQuery({ colour: event.target.value === "@0" ? null : event.target.value })}>
              {dimensions.map(({ id, name }) => <option key={id} value={id}>{name}</option>)}
            </select>
          </label>
          {colouring.classes === null
            ? <span className="ramp"><span>{colouring.low}</span><span className="ramp-bar" /><span>{colouring.high}</span></span>
            : <ul className="mark-legend">{colouring.classes.map(({ slot, word }) => <li key={slot}><span className={`swatch line-${slot}`} />{word}</li>)}</ul>}
          {objectives.length === 0 ? null : (
            <label className="axis-choice"><span className="muted">Best</span>
              <input type="range" min={1} max={100} value={percent} aria-valuetext={`the best ${percent} %`}
                onChange={(event) => setQuery({ top: event.target.value === "100" ? null : event.target.value })} />
              <span className="top-share">{percent} %</span>
            </label>
          )}
        </footer>
      ) : null}
    </section>
  );
}

/** How many percent of the trials an address asks for. */
function percentOf(text: string | null): number {
  const percent = Number(text ?? 100);
  return Number.isInteger(percent) && percent >= 1 && percent <= 100 ? percent : 100;
}

const position = (share: number): string => `calc(${MARGIN.side}px + ${share} * (100% - ${2 * MARGIN.side}px))`;

/** An axis' name: dragged it moves the axis, pressed it opens what can be done with it. */
function AxisHead(props: {
  axis: ParallelAxis; at: number; count: number; choice: AxisChoice; isColour: boolean;
  onPlace: (to: number) => void; onDrag: (begins: boolean) => void; onChange: (to: Partial<AxisChoice>) => void; onColour: () => void;
}) {
  const { axis: { axis, id }, at, count, choice, isColour, onPlace, onDrag, onChange, onColour } = props;
  const press = useRef<{ x: number; dragged: boolean } | null>(null);
  const isLog = axis.note === "log";
  const items: MenuItem[] = [
    ...(at > 0 ? [{ word: "Move left", icon: "left" as const, run: () => onPlace(at - 1) }] : []),
    ...(at < count - 1 ? [{ word: "Move right", icon: "right" as const, run: () => onPlace(at + 1) }] : []),
    { word: choice.turned ? "Turn back" : "Turn over", icon: "swap", run: () => onChange({ turned: !choice.turned }) },
    ...(axis.gap > 0 ? [] : [
      ...(isLog || axis.note === "rank" ? [{ word: "Linear", icon: "runs" as const, run: () => onChange({ scale: "linear" }) }] : []),
      ...(!isLog && axis.positive ? [{ word: "Logarithmic", icon: "runs" as const, run: () => onChange({ scale: "log" }) }] : []),
      ...(axis.note === "rank" ? [] : [{ word: "By rank", icon: "group" as const, run: () => onChange({ scale: "rank" }) }]),
    ]),
    ...(isColour ? [] : [{ word: "Colour by it", icon: "tag" as const, run: onColour }]),
    ...(count > 2 ? [{ word: "Leave out", icon: "cross" as const, run: () => onChange({ hidden: true }) }] : []),
  ];
  const pressed = (event: PointerEvent<HTMLButtonElement>) => {
    if (event.button !== 0) return;
    press.current = { x: event.clientX, dragged: false };
    event.currentTarget.setPointerCapture(event.pointerId);
  };
  const dragged = (event: PointerEvent<HTMLButtonElement>) => {
    const now = press.current;
    if (!now || !event.currentTarget.hasPointerCapture(event.pointerId)) return;
    if (!now.dragged && Math.abs(event.clientX - now.x) > CLICK) {
      now.dragged = true;
      onDrag(true);
    }
    if (!now.dragged || count < 2) return;
    const box = event.currentTarget.closest(".parallel")!.getBoundingClientRect();
    const share = (event.clientX - box.left - MARGIN.side) / (box.width - 2 * MARGIN.side);
    const to = Math.min(count - 1, Math.max(0, Math.round(share * (count - 1))));
    if (to !== at) onPlace(to);
  };
  const title = axis.note === "" ? axis.name : `${axis.name} (${axis.note})`;
  const side = at === 0 ? "first" : at === count - 1 ? "last" : "";
  return (
    <div className={`axis-head ${side}`} data-axis={id}
      style={{ left: count < 2 ? "50%" : position(at / (count - 1)), width: `min(180px, calc((100% - ${2 * MARGIN.side}px) / ${Math.max(1, count - 1)} - 8px))` }}>
      <Menu label={`Axis ${title}`} items={items} trigger={(open, toggle) => (
        <button type="button" className="axis-name" aria-expanded={open} aria-haspopup="menu" title={`${title}: drag it to move the axis`}
          onPointerDown={pressed} onPointerMove={dragged} onLostPointerCapture={() => press.current?.dragged && onDrag(false)}
          onClick={() => {
            const wasDrag = press.current?.dragged ?? false;
            press.current = null;
            if (!wasDrag) toggle();
          }}>
          <span className="clip">{axis.name}</span>{axis.note === "" ? null : <span className="muted"> {axis.note}</span>}
        </button>
      )} />
    </div>
  );
}

/** The strip over an axis along which a part of it is chosen, with the pointer, a finger or the keys. */
function AxisBrush({ axis: { axis, brush }, left, onBrush }: { axis: ParallelAxis; left: string; onBrush: (to: Brush | null) => void }) {
  const press = useRef<{ at: number; y: number; from: Brush | null; dragged: boolean } | null>(null);
  const heightAt = (event: PointerEvent<HTMLElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    return Math.min(1, Math.max(0, 1 - (event.clientY - box.top - MARGIN.top) / (box.height - MARGIN.top - MARGIN.bottom)));
  };
  const pressed = (event: PointerEvent<HTMLElement>) => {
    if (event.button !== 0) return;
    const at = heightAt(event);
    // Inside of what is chosen the press takes hold of it; elsewhere it begins anew.
    const holds = brush !== null && at >= brush.from && at <= brush.to;
    press.current = { at, y: event.clientY, from: holds ? brush : null, dragged: false };
    event.currentTarget.setPointerCapture(event.pointerId);
  };
  const dragged = (event: PointerEvent<HTMLElement>) => {
    const now = press.current;
    if (!now) return;
    if (Math.abs(event.clientY - now.y) > CLICK) now.dragged = true;
    if (!now.dragged) return;
    const at = heightAt(event);
    if (now.from === null) onBrush({ from: Math.min(now.at, at), to: Math.max(now.at, at) });
    else {
      const by = Math.min(1 - now.from.to, Math.max(-now.from.from, at - now.at));
      onBrush({ from: now.from.from + by, to: now.from.to + by });
    }
  };
  const released = () => {
    if (press.current && !press.current.dragged && brush !== null) onBrush(null);
    press.current = null;
  };
  const key = (event: KeyboardEvent) => {
    const next = brushAfter(brush, event.key, event.shiftKey);
    if (next === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    onBrush(next);
  };
  // From the lesser value to the greater, also on an axis that is turned over.
  const ends = brush === null ? [] : [brush.from, brush.to].sort((a, b) => axis.unit(a) - axis.unit(b));
  const words = [...new Set(ends.map(axis.words))].join(" to ") || "everything";
  return (
    // Two ends, upright, over a canvas: no input does that.
    // eslint-disable-next-line jsx-a11y/prefer-tag-over-role
    <div className="axis-brush" style={{ left }} role="slider" tabIndex={0} aria-orientation="vertical" aria-label={`Filter by ${axis.name}`}
      aria-valuemin={0} aria-valuemax={100} aria-valuenow={brush === null ? 50 : Math.round((brush.from + brush.to) * 50)} aria-valuetext={words}
      title={brush === null ? `Drag to filter by ${axis.name}` : `${axis.name}: ${words}`}
      onPointerDown={pressed} onPointerMove={dragged} onPointerUp={released} onPointerCancel={() => (press.current = null)} onKeyDown={key} />
  );
}
