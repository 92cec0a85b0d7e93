// What a run ran on, in few words.
import type { Environment } from "../api/types";
import { formatBytes } from "../format";

/** GPUs that are alike, in one line: `GPUs 0–7`, `8 × NVIDIA A100, 80 GB`. */
export function alikeGPUs(gpus: NonNullable<Environment["gpus"]>): { name: string; text: string }[] {
  const out: { from: number; count: number; text: string }[] = [];
  gpus.forEach((gpu, i) => {
    const text = [gpu.name, gpu.memory_bytes ? formatBytes(gpu.memory_bytes) : "", gpu.driver ? `driver ${gpu.driver}` : ""].filter(Boolean).join(", ");
    const last = out[out.length - 1];
    if (last?.text === text) last.count++;
    else out.push({ from: i, count: 1, text });
  });
  return out.map(({ from, count, text }) => (count === 1 ? { name: `GPU ${from}`, text }
    : { name: `GPUs ${from}–${from + count - 1}`, text: `${count} × ${text}` }));
}
