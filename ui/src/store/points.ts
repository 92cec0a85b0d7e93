// A point that a reader writes by hand: a text for each parameter, and the values it stands for.
import type { Json, Parameter, Sweep, Trial } from "../api/types";
import { parameterOf } from "./parallel";

/** The parameters whose values are chosen: those with one value, and those computed from others, are not. */
export function chosenParameters({ parameters }: Pick<Sweep, "parameters">): Parameter[] {
  return parameters.filter(({ kind, values }) => kind !== "constant" && kind !== "derived" && values?.length !== 1);
}

/** A value as it stands in its field. */
export function textOf(value: Json | undefined): string {
  return value === undefined || value === null ? "" : typeof value === "string" ? value : JSON.stringify(value);
}

/** The texts of a trial's point, to begin with; without one all are empty. */
export function textsOf(parameters: readonly Parameter[], trial: Trial | undefined): Record<string, string> {
  return Object.fromEntries(parameters.map(({ name }) => [name, trial ? textOf(parameterOf(trial, name)) : ""]));
}

/** What a parameter's text means; undefined: it is left out, as under a condition that does not hold. */
export function valueOfText({ kind, values }: Parameter, text: string): Json | undefined {
  const trimmed = text.trim();
  if (values) return values.find((value) => textOf(value) === text) ?? (trimmed === "" ? undefined : text);
  if (trimmed === "") return undefined;
  const number = Number(trimmed.replace("−", "-"));
  return (kind === "integer" || kind === "real") && Number.isFinite(number) ? number : trimmed;
}

/** The point of all texts: constants with their value. */
export function pointOf({ parameters }: Pick<Sweep, "parameters">, texts: Readonly<Record<string, string>>): { [name: string]: Json } {
  const point: { [name: string]: Json } = {};
  for (const parameter of parameters) {
    const alone = parameter.values?.length === 1 ? parameter.values[0] : undefined;
    const value = parameter.kind === "derived" ? undefined : alone ?? valueOfText(parameter, texts[parameter.name] ?? "");
    if (value !== undefined) point[parameter.name] = value;
  }
  return point;
}
