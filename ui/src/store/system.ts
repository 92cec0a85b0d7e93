// The machine's metrics of a run: which there are, and how they are put together into charts.
import type { SystemMetric } from "../api/types";
import { formatBytes, formatMetric } from "../format";
import { byName } from "./columns";

export interface SystemChart {
  title: string;
  unit: string;
  /** The metrics that are its lines, with their short names. */
  lines: { metric: string; name: string }[];
}

export interface SystemSection {
  title: string;
  charts: SystemChart[];
}

const KNOWN: readonly (readonly [section: string, title: string, unit: string, lines: readonly (readonly [string, string])[]])[] = [
  ["Processor", "Machine", "%", [["cpu", "machine"]]],
  ["Processor", "Processes of the run", "% of one core", [["process/cpu", "run"]]],
  ["Processor", "Threads of the run", "", [["process/threads", "threads"]]],
  ["Memory", "Machine", "%", [["memory", "machine"]]],
  ["Memory", "In use", "bytes", [["memory/used", "machine"], ["process/memory", "run"]]],
  ["Disk", "Read and written", "bytes/s", [["disk/read", "read"], ["disk/write", "written"]]],
  ["Network", "Sent and received", "bytes/s", [["network/sent", "sent"], ["network/received", "received"]]],
];

const GPU: readonly (readonly [string, string, string])[] = [
  ["utilization", "Utilization", "%"], ["memory_percent", "Memory", "%"], ["memory", "Memory in use", "bytes"],
  ["temperature", "Temperature", "°C"], ["power", "Power", "W"],
];

const ORDER = ["GPUs", "Processor", "Memory", "Disk", "Network", "Other"];

/** The charts of what was sampled: all GPUs' lines of one kind in one chart; what is not known has a chart of its own. */
export function systemSections(metrics: readonly SystemMetric[]): SystemSection[] {
  const left = new Map(metrics.map((metric) => [metric.name, metric]));
  const sections = new Map<string, SystemChart[]>(ORDER.map((title) => [title, []]));
  const put = (section: string, chart: SystemChart) => {
    if (chart.lines.length > 0) sections.get(section)!.push(chart);
  };
  const take = (name: string): boolean => left.delete(name);
  for (const [section, title, unit, lines] of KNOWN) {
    put(section, { title, unit, lines: lines.filter(([name]) => take(name)).map(([metric, name]) => ({ metric, name })) });
  }
  for (const [kind, title, unit] of GPU) {
    const found = [...left.keys()].filter((name) => /^gpu\.[^/]+\//.test(name) && name.endsWith(`/${kind}`)).sort(byName);
    put("GPUs", { title, unit, lines: found.map((metric) => ({ metric, name: metric.split("/")[0]!.replace(".", " ") })) });
    found.forEach(take);
  }
  const disks = [...left.keys()].filter((name) => name.startsWith("disk/") && name.endsWith("/used")).sort(byName);
  put("Disk", { title: "Used", unit: "%", lines: disks.map((metric) => ({ metric, name: metric.slice(5, -5) || "/" })) });
  disks.forEach(take);
  for (const { name, unit } of [...left.values()].sort((a, b) => byName(a.name, b.name))) {
    put("Other", { title: name, unit: unit ?? "", lines: [{ metric: name, name }] });
  }
  return [...sections].flatMap(([title, charts]) => (charts.length > 0 ? [{ title, charts }] : []));
}

/** A value with its unit: 12 GB, 4.2 MB/s, 71 °C. */
export function withUnit(value: number, unit: string): string {
  if (!Number.isFinite(value)) return "–";
  if (unit === "bytes") return formatBytes(value);
  if (unit === "bytes/s") return `${formatBytes(value)}/s`;
  const rounded = Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3));
  return unit === "" ? formatMetric(rounded) : `${rounded} ${unit}`;
}

/** From the least to the greatest, with a unit that both have written once: 22–75 %. */
export function rangeText(low: string, high: string): string {
  if (low === high) return high;
  const unit = /\s\S+$/.exec(high)?.[0] ?? "";
  return unit !== "" && low.endsWith(unit) ? `${low.slice(0, -unit.length)}–${high}` : `${low}–${high}`;
}
