// What can be gone to by name: pages, projects, GPUs, sweeps and runs, those first that fit best.

export interface Goal {
  key: string;
  /** What it is: "page", "GPU", "run". */
  kind: string;
  title: string;
  /** What tells it from others of its name. */
  detail: string;
  to: string;
}

/** How well a text fits what was written, higher is better; null: not at all. Each word must be in it. */
export function fit(text: string, written: string): number | null {
  const low = text.toLowerCase();
  let score = 0;
  for (const word of written.toLowerCase().split(/\s+/).filter((each) => each !== "")) {
    const at = low.indexOf(word);
    if (at < 0) return null;
    // The beginning of a word counts more than its middle.
    score += at === 0 ? 3 : /[\s/_.:-]/.test(low[at - 1] ?? "") ? 2 : 1;
  }
  return score;
}

/** The goals that fit, best first, at most so many; of equal ones those that come first in the list. */
export function fitting(goals: readonly Goal[], written: string, most: number): Goal[] {
  return goals.flatMap((goal, i) => {
    const score = fit(`${goal.title} ${goal.kind} ${goal.detail}`, written);
    return score === null ? [] : [{ goal, score, i }];
  }).sort((a, b) => b.score - a.score || a.i - b.i).slice(0, most).map(({ goal }) => goal);
}

/** What was written as a filter: a text anywhere in a run's name. */
export const asFilter = (written: string): string => `"${written.trim().replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
