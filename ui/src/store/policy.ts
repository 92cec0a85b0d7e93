// The rules of the pool as texts in a form, and back.
import type { PoolPolicy } from "../api/types";

type Name = Exclude<keyof PoolPolicy, "group_equal_needs">;

interface Field {
  name: Name;
  title: string;
  /** What stands in an empty field, where it may be empty: no limit. */
  hint?: string;
  /** By how much a number in the field is multiplied. */
  scale: number;
  most: number;
  whole?: boolean;
}

const GiB = 2 ** 30;

export const FIELDS: readonly Field[] = [
  { name: "memory_weight", title: "Weight of free memory", scale: 1, most: 1000 },
  { name: "idle_weight", title: "Weight of idle time", scale: 1, most: 1000 },
  { name: "balance", title: "Least free memory in a set, % of the most", scale: 0.01, most: 100 },
  { name: "backfill", title: "How many newer requests may pass one", scale: 1, most: 1e6, whole: true },
  { name: "foreign_utilization", title: "Others’ GPU from, % busy", scale: 0.01, most: 100 },
  { name: "foreign_free_memory", title: "Others’ GPU below, GiB free", scale: GiB, most: 1e6 },
  { name: "cpu_slots", title: "Runs without GPUs at a time", hint: "no limit", scale: 1, most: 1e6, whole: true },
  { name: "memory", title: "Memory of all runs, GiB", hint: "no limit", scale: GiB, most: 1e9 },
  { name: "gpu_memory", title: "GPU memory of all runs, GiB", hint: "no limit", scale: GiB, most: 1e9 },
];

export type PolicyTexts = Record<Name, string>;

/** What stands in the fields. */
export function writePolicy(policy: PoolPolicy): PolicyTexts {
  const text = ({ name, scale }: Field) => {
    const value = policy[name];
    return value === null ? "" : String(Number((value / scale).toPrecision(12)));
  };
  return Object.fromEntries(FIELDS.map((field) => [field.name, text(field)])) as PolicyTexts;
}

/** The policy that the fields say, or what is wrong in which of them. */
export function readPolicy(texts: PolicyTexts, groupEqualNeeds: boolean): { policy: PoolPolicy | null; wrong: Partial<Record<Name, string>> } {
  const wrong: Partial<Record<Name, string>> = {};
  const values = FIELDS.map(({ name, hint, scale, most, whole }) => {
    const text = texts[name].trim().replace(",", ".");
    if (text === "" && hint !== undefined) return [name, null] as const;
    const value = text === "" ? NaN : Number(text);
    if (!(value >= 0 && value <= most) || (whole && !Number.isInteger(value))) {
      wrong[name] = `${whole ? "A whole number" : "A number"} from 0 to ${most.toLocaleString("en-US")}.`;
    }
    const scaled = value * scale;
    return [name, scale === GiB ? Math.round(scaled) : scale === 0.01 ? Number(scaled.toPrecision(12)) : scaled] as const;
  });
  const isRight = Object.keys(wrong).length === 0;
  return { policy: isRight ? ({ ...Object.fromEntries(values), group_equal_needs: groupEqualNeeds } as PoolPolicy) : null, wrong };
}
