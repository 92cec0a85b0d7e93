// One GPU: how full and how busy it is, who holds it since when, when it is free, and what keeps others away.
import { type FormEvent, useState } from "react";
import { mayTend } from "../../api/client";
import type { Holding, PoolDevice } from "../../api/types";
import { Ago, Button, useNow } from "../../components/basics";
import { Dialog } from "../../components/Dialog";
import { Icon } from "../../components/Icon";
import { Menu, type MenuItem } from "../../components/Menu";
import { formatDuration, formatTime } from "../../format";
import { idleSince } from "../../store/lanes";
import { poolStore } from "../../store/pool";
import { type Ordered, stand } from "../../store/poolchanges";
import { deviceNotes, deviceWord, expected, formatClock, formatMemory, percent } from "../../store/poolwords";
import { RunName } from "./RunName";
import { Utilization } from "./Utilization";

const IDLE_FOR = 120e6; // microseconds of idleness after which it is told

export function DeviceCard({ device, wanted }: { device: PoolDevice; wanted: boolean }) {
  const [asking, setAsking] = useState<"cordon" | "drain" | null>(null);
  const { index, name, kind, holders, standing } = device;
  const { word, tone, icon } = deviceWord(device);
  const items: MenuItem[] = [
    ...(standing === "open" ? [] : [{ word: "Back into service", icon: "play" as const, run: () => void stand(index, "uncordon") }]),
    ...(standing === "cordoned" ? [] : [{ word: "Cordon…", icon: "pause" as const, run: () => setAsking("cordon") }]),
    ...(standing === "draining" ? [] : [{ word: "Drain…", icon: "drain" as const, run: () => setAsking("drain") }]),
  ];
  return (
    <article className={wanted ? "card device-card wanted" : "card device-card"} id={`gpu-${index}`} tabIndex={-1} aria-label={`GPU ${index}`}
      data-standing={standing}>
      <header>
        <h3>GPU {index}</h3>
        <span className={`pill ${tone}`}><Icon name={icon} size={12} />{word}</span>
        <span className="grow" />
        {mayTend() ? <Menu label={`GPU ${index}: more`} items={items} /> : null}
      </header>
      <p className="muted small clip" title={name}>{name || (kind === "declared" ? "declared" : kind)}</p>
      <Memory device={device} />
      <Readings device={device} />
      {holders.length === 0 ? null : (
        <ul className="holders" aria-label="Who holds it">{holders.map((each) => <Holder key={`${each.run}#${each.attempt}`} holding={each} />)}</ul>
      )}
      {device.used_slots > 0 ? <p className="small muted"><FreeAt at={device.free_at} /></p> : null}
      <Idle device={device} />
      {deviceNotes(device).map((note) => <p key={note} className="device-note">{note}</p>)}
      {asking === null ? null : <TakeOut device={device} how={asking} onClose={() => setAsking(null)} />}
    </article>
  );
}

/** How much of its memory is asked for and how much is seen in use; its slots where nobody knows its memory. */
function Memory({ device: { memory, reserved_memory, reading, slots, used_slots, index } }: { device: PoolDevice }) {
  if (memory === null || memory <= 0) {
    return (
      <div className="meter-line">
        <meter className="unseen" aria-label={`Slots of GPU ${index} taken`} min={0} max={slots} value={used_slots} />
        <div className="bar" aria-hidden="true"><span className="bar-part taken" style={{ width: `${(used_slots / slots) * 100}%` }} /></div>
        <p className="small muted">{used_slots} of {slots === 1 ? "1 slot" : `${slots} slots`} taken</p>
      </div>
    );
  }
  const seen = reading?.memory_used ?? null;
  const share = (bytes: number) => `${Math.min(100, (bytes / memory) * 100)}%`;
  return (
    <div className="meter-line">
      <meter className="unseen" aria-label={`Memory of GPU ${index}`} min={0} max={memory} value={Math.max(reserved_memory, seen ?? 0)} />
      <div className="bar memory-bar" aria-hidden="true">
        <span className="reserved" style={{ width: share(reserved_memory) }} />
        <span className="taken" style={{ width: share(seen ?? 0) }} />
      </div>
      <p className="small muted">
        {seen === null ? null : <><strong>{formatMemory(seen)}</strong> in use, </>}
        <strong>{formatMemory(reserved_memory)}</strong> reserved of {formatMemory(memory)}
        {slots > 1 ? `, ${used_slots} of ${slots} slots` : ""}
      </p>
    </div>
  );
}

function Readings({ device: { reading, kind, index } }: { device: PoolDevice }) {
  if (reading === null) {
    return kind === "declared" ? null : <p className="small muted">Nothing was read of it yet.</p>;
  }
  const seen = poolStore.seen.readings(index);
  const facts = [
    ...(reading.temperature == null ? [] : [`${Math.round(reading.temperature)} °C`]),
    ...(reading.power == null ? [] : [`${Math.round(reading.power)} W`]),
  ];
  return (
    <div className="device-readings">
      <p><strong>{reading.utilization === null ? "–" : percent(reading.utilization)}</strong> <span className="small muted">busy</span></p>
      <Utilization readings={seen} until={reading.at ?? seen[seen.length - 1]?.at ?? 0} />
      {facts.length === 0 ? null : <p className="small muted">{facts.join(" · ")}</p>}
    </div>
  );
}

function Holder({ holding }: { holding: Holding }) {
  return (
    <li>
      <RunName {...holding} />
      <span className="muted small">
        {holding.asked === "stop" ? "asked to stop, " : holding.asked === "makeRoom" ? "asked to make room, " : ""}<Ago at={holding.since} />
      </span>
    </li>
  );
}

function FreeAt({ at }: { at: number | null }) {
  const now = useNow();
  if (at === null) return <>When it will be free is not known: what holds it has no time limit.</>;
  return <span title={formatTime(at)}>Free {expected(at, now)}{at - now > 60e6 ? `, at ${formatClock(at, now)}` : ""}</span>;
}

/** Reserved, and nothing happens on it. */
function Idle({ device: { index, holders, reading } }: { device: PoolDevice }) {
  const now = useNow();
  if (holders.length === 0 || !reading) return null;
  const since = idleSince(poolStore.seen.readings(index), Math.min(...holders.map((each) => each.since)));
  if (since === null || now - since < IDLE_FOR) return null;
  return <p className="device-note idle"><Icon name="clock" size={13} /> Reserved, but idle for {formatDuration(now - since)}.</p>;
}

const WORDS: Record<Exclude<Ordered, "uncordon">, { title: string; text: string; word: string }> = {
  cordon: { title: "Cordon", text: "Nobody gets it from now on. Who holds it goes on.", word: "Cordon" },
  drain: {
    title: "Drain", word: "Drain",
    text: "Nobody gets it from now on. Who holds it is asked to make room, and a new attempt of it stands in its old place in the line.",
  },
};

function TakeOut({ device: { index, holders }, how, onClose }: { device: PoolDevice; how: "cordon" | "drain"; onClose: () => void }) {
  const [reason, setReason] = useState("");
  const { title, text, word } = WORDS[how];
  const done = (event: FormEvent) => {
    event.preventDefault();
    onClose();
    void stand(index, how, reason.trim());
  };
  return (
    <Dialog title={`${title} GPU ${index}?`} onClose={onClose}>
      <form onSubmit={done}>
        <p>{text}</p>
        {how === "drain" && holders.length > 0 ? <p className="names">{holders.map((each) => each.run_name ?? "another project’s run").join(", ")}</p> : null}
        <label className="labelled">Why, for those who wait
          <input className="field" value={reason} maxLength={500} placeholder="a loose cable" onChange={(event) => setReason(event.target.value)} />
        </label>
        <footer className="dialog-foot">
          <Button onClick={onClose}>Leave it</Button>
          <button type="submit" className="button danger"><Icon name={how === "drain" ? "drain" : "pause"} size={14} />{word}</button>
        </footer>
      </form>
    </Dialog>
  );
}
