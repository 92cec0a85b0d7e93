// A sweep's trials as parallel coordinates: which axes there are, and where each trial stands on them.
import type { Json, Parameter, Trial } from "../api/types";
import { type Axis, type AxisChoice, type Brush, continuous, held, parameterAxis, turned } from "../charts/axes";
import type { ParallelAxis } from "../charts/parallel";
import { COLOURS } from "../charts/palette";
import { flatten } from "../format";
import { type Objective, valueOf } from "./objectives";

/** An axis of the sweep: a parameter, or one of its objectives. */
export type Dimension = { id: string; name: string } & ({ parameter: Parameter } | { objective: number; maximise: boolean });

/** Parameters that have more than one value, in the order of the file, then the objectives. */
export function dimensionsOf(parameters: readonly Parameter[], objectives: readonly Objective[]): Dimension[] {
  return [
    ...parameters.filter(({ kind, values }) => kind !== "constant" && values?.length !== 1).map((parameter) => ({
      // An objective's id begins with one @, a parameter's never does.
      id: parameter.name.startsWith("@") ? `@${parameter.name}` : parameter.name, name: parameter.name, parameter,
    })),
    ...objectives.map(({ name, maximise }, objective) => ({ id: `@${objective}`, name, objective, maximise })),
  ];
}

/** A parameter's value in a trial, whether it is kept flat or nested. */
export function parameterOf(trial: Trial, name: string): Json | undefined {
  return trial.params[name] ?? (name.includes(".") ? flatten(trial.params).get(name) : undefined);
}

const numberOf = (trial: Trial, objective: number): number => (trial.state === "failed" ? NaN : valueOf(trial, objective));

/** The axes that are shown, in their order, with each trial's height. Brushes are in the units of their axes. */
export function axesOf(
  dimensions: readonly Dimension[], choices: readonly AxisChoice[], trials: readonly Trial[], brushes: ReadonlyMap<string, Brush>,
): ParallelAxis[] {
  const byID = new Map(dimensions.map((each) => [each.id, each]));
  return choices.filter(({ hidden }) => !hidden).flatMap(({ id, scale, turned: isTurned }) => {
    const dimension = byID.get(id);
    if (dimension === undefined) return [];
    const values = trials.map((trial) => ("parameter" in dimension ? parameterOf(trial, dimension.name) : numberOf(trial, dimension.objective)));
    const plain: Axis = "parameter" in dimension ? parameterAxis(dimension.parameter, values, scale)
      : scale === "rank" ? parameterAxis({ name: dimension.name, kind: "real" }, values, scale)
        : continuous(dimension.name, values.filter((value): value is number => typeof value === "number" && Number.isFinite(value)), false, scale);
    const axis = isTurned ? turned(plain) : plain;
    const told = brushes.get(id);
    const ends = told === undefined ? null : [axis.height(told.from), axis.height(told.to)];
    return [{
      id, axis, heights: Float64Array.from(values, (value) => axis.at(value) ?? NaN),
      brush: ends === null ? null : { from: Math.min(...ends), to: Math.max(...ends) },
    }];
  });
}

const SLACK = 1e-9; // ends that stand on a value hold it in spite of rounding

/** By trial whether the brushes hold it; null: there is no brush. */
export function keptBy(axes: readonly ParallelAxis[], count: number): Uint8Array | null {
  const brushes = new Map(axes.flatMap(({ brush }, i): [number, Brush][] =>
    (brush === null ? [] : [[i, { from: brush.from - SLACK, to: brush.to + SLACK }]])));
  if (brushes.size === 0) return null;
  return Uint8Array.from({ length: count }, (_, trial) => (held((axis: number) => axes[axis]!.heights[trial], brushes) ? 1 : 0));
}

/** Each value's place among all: 0 for the best, 1 for the worst; NaN where there is none. */
export function placesOf(values: Float64Array, maximise: boolean): Float64Array {
  const order = [...values.keys()].filter((i) => Number.isFinite(values[i]!))
    .sort((a, b) => (maximise ? values[b]! - values[a]! : values[a]! - values[b]!));
  const places = new Float64Array(values.length).fill(NaN);
  order.forEach((trial, i) => (places[trial] = order.length < 2 ? 0 : i / (order.length - 1)));
  return places;
}

/** By trial whether it is among the best of those with a value: so many percent of them, one at least; null: all are asked for. */
export function topOf(values: Float64Array, maximise: boolean, percent: number): Uint8Array | null {
  if (percent >= 100) return null;
  const order = [...values.keys()].filter((i) => Number.isFinite(values[i]!))
    .sort((a, b) => (maximise ? values[b]! - values[a]! : values[a]! - values[b]!));
  const top = new Uint8Array(values.length);
  for (const trial of order.slice(0, Math.max(1, Math.ceil((order.length * percent) / 100)))) top[trial] = 1;
  return top;
}

/** What both hold; null holds all. */
export function both(a: Uint8Array | null, b: Uint8Array | null): Uint8Array | null {
  return a === null ? b : b === null ? a : a.map((held, i) => held & b[i]!);
}

/** Spreads curves that meet in one class: the better, the higher, by no more than a part of the way to the next. */
export function fanned(axes: readonly ParallelAxis[], places: Float64Array): ParallelAxis[] {
  return axes.map((each) => {
    const reach = Math.min(0.16, each.axis.gap * 0.4);
    if (reach === 0) return each;
    const heights = each.heights.map((height, i) => {
      const place = places[i]!;
      return height - ((Number.isNaN(place) ? 0.5 : place) - 0.5) * reach;
    });
    return { ...each, heights };
  });
}

export interface Colouring {
  /** By trial a share of the ramp, or the slot of a class. */
  shares: Float64Array;
  classes: { slot: number; word: string }[] | null;
  /** What the ends of the ramp stand for. */
  low: string;
  high: string;
}

/** How curves are coloured by one axis: by rank over an objective, by value over numbers, by class over words. */
export function coloursBy(dimension: Dimension, trials: readonly Trial[], scale: AxisChoice["scale"]): Colouring {
  const [alone] = axesOf([dimension], [{ id: dimension.id, scale, turned: false, hidden: false }], trials, new Map());
  const { axis, heights } = alone!;
  if ("objective" in dimension) {
    const values = Float64Array.from(trials, (trial) => numberOf(trial, dimension.objective));
    return { shares: placesOf(values, dimension.maximise), classes: null, low: "best", high: "worst" };
  }
  if (axis.gap === 0) return { shares: heights, classes: null, low: axis.words(0), high: axis.words(1) };
  const slots = heights.map((height) => Math.round(axis.unit(height)) % COLOURS);
  const count = Math.round(axis.unit(1)) + 1;
  const classes = Array.from({ length: Math.min(count, COLOURS) }, (_, slot) => ({
    slot, word: Array.from({ length: Math.ceil((count - slot) / COLOURS) }, (_, i) => axis.words(axis.height(slot + i * COLOURS))).join(", "),
  }));
  return { shares: slots, classes, low: "", high: "" };
}
