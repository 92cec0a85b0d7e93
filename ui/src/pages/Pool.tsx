// The pool: which GPUs there are and who holds them, who waits for what and why, and by which rules it is decided.
import { type ReactNode, useEffect } from "react";
import type { Pool } from "../api/types";
import { CopyButton, Empty, Failure, Skeleton } from "../components/basics";
import { formatCount, plural } from "../format";
import { place } from "../router";
import { poolStore } from "../store/pool";
import { formatMemory, inUse } from "../store/poolwords";
import { useStore } from "../store/store";
import { DeviceCard } from "./pool/DeviceCard";
import { LanesCard } from "./pool/LanesCard";
import { PolicyCard } from "./pool/PolicyCard";
import { QueueTable } from "./pool/QueueTable";
import { RunningTable } from "./pool/RunningTable";

export function PoolPage() {
  const pool = useStore(poolStore.state);
  const error = useStore(poolStore.error);
  useEffect(() => {
    document.title = "Pool · Martlet";
  }, []);
  if (!pool) {
    return <div className="page">{error ? <Failure error={error} retry={poolStore.read} /> : <Skeleton rows={8} label="Reading the pool" />}</div>;
  }
  return (
    <div className="page pool">
      {error ? <Failure error={error} retry={poolStore.read} /> : null}
      <header className="page-head">
        <div className="page-title">
          <h1>Pool</h1>
          <p className="sentence">{summary(pool)}</p>
        </div>
      </header>
      {pool.devices.length === 0 ? <NoDevices pool={pool} /> : <Devices pool={pool} />}
      {pool.running.length + pool.queue.length === 0 && pool.devices.length === 0 ? null : <LanesCard pool={pool} />}
      <Section title="Waiting" count={pool.totals.waiting}>
        <QueueTable pool={pool} />
      </Section>
      <Section title="Running" count={pool.running.length}>
        <RunningTable pool={pool} />
      </Section>
      <PolicyCard policy={pool.policy} />
    </div>
  );
}

function Section({ title, count, children }: { title: string; count: number; children: ReactNode }) {
  return (
    <section aria-label={title}>
      <h2 className="section-title">{title} <span className="count">{formatCount(count)}</span></h2>
      {children}
    </section>
  );
}

/** How full it is, in a sentence. */
export function summary(pool: Pool): string {
  const { devices, totals } = pool;
  const away = devices.filter(({ standing }) => standing !== "open").length;
  const foreign = devices.filter(({ foreign: others, standing }) => others && standing === "open").length;
  const parts = devices.length === 0 ? [] : [
    `${plural(devices.length, "GPU")}: ${inUse(pool)} in use`, `${totals.free} free`,
    ...(foreign > 0 ? [`${foreign} used by others`] : []), ...(away > 0 ? [`${away} out of service`] : []),
  ];
  const limits = [
    ...(totals.cpu_slots.limit === null ? [] : [`${totals.cpu_slots.used} of ${plural(totals.cpu_slots.limit, "CPU slot")} taken`]),
    ...(totals.memory.limit === null ? [] : [`${formatMemory(totals.memory.reserved)} of ${formatMemory(totals.memory.limit)} of memory reserved`]),
    ...(totals.gpu_memory.limit === null ? [] : [`${formatMemory(totals.gpu_memory.reserved)} of ${formatMemory(totals.gpu_memory.limit)} of GPU memory reserved`]),
  ];
  const all = [...parts, ...limits, `${plural(totals.running, "run")} running`, `${formatCount(totals.waiting)} waiting`];
  return `${all.join(", ")}.`;
}

function Devices({ pool }: { pool: Pool }) {
  const wanted = useStore(place).query.get("gpu");
  const hosts = [...new Set(pool.devices.map(({ host }) => host))];
  useEffect(() => {
    if (wanted === null) return;
    const card = document.getElementById(`gpu-${wanted}`);
    card?.scrollIntoView({ block: "center" });
    card?.focus({ preventScroll: true });
  }, [wanted]);
  return (
    <>
      {hosts.map((host) => (
        <section key={host} aria-label={`GPUs of ${host || pool.host}`}>
          <h2 className="section-title">{host || pool.host} <span className="count">{pool.devices.filter((each) => each.host === host).length}</span></h2>
          <div className="device-cards">
            {pool.devices.filter((each) => each.host === host).map((device) => (
              <DeviceCard key={device.index} device={device} wanted={wanted === String(device.index)} />
            ))}
          </div>
        </section>
      ))}
    </>
  );
}

const DECLARE = "martlet up --devices 4";

/** What there is instead of GPUs, and how some are made known. */
function NoDevices({ pool }: { pool: Pool }) {
  const { limit } = pool.totals.cpu_slots;
  const busy = pool.running.length + pool.queue.length > 0;
  const words = (
    <>
      <p>
        {limit === null
          ? "Every run gets a CPU slot and starts at once: there is no limit of them. A sweep’s max_parallel keeps it small."
          : `Runs without GPUs share ${plural(limit, "CPU slot")}; those for whom there is none wait in line.`}
      </p>
      <p>GPUs that a driver tells of are found when the server starts. Others, or fewer, are declared:</p>
      <div className="snippet"><pre><code>{DECLARE}</code></pre><CopyButton text={DECLARE} label="Copy the command" /></div>
    </>
  );
  if (!busy) return <Empty icon="chip" title="No GPUs are shared out here">{words}</Empty>;
  return <section className="card no-devices" aria-label="No GPUs"><h2>No GPUs are shared out here</h2>{words}</section>;
}
