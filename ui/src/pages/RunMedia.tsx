// What a run logged besides numbers: histograms, tables, images, recordings, pages, files, vectors, by name.
import { useEffect, useMemo, useState } from "react";
import type { Kind } from "../api/typed";
import type { Run } from "../api/types";
import { COLOURS } from "../charts/palette";
import { CopyButton, Empty } from "../components/basics";
import { ChartSection } from "../components/ChartGrid";
import { MediaCard, isWide } from "../components/media/MediaCard";
import { formatCount, plural } from "../format";
import { place, setQuery } from "../router";
import { slots } from "../store/colours";
import { byName, sections } from "../store/columns";
import { LastValues, type LastValue } from "../store/media";
import { usePacked } from "../components/media/packed";
import { usePref } from "../store/prefs";
import { hasEnded } from "../store/runs";

const KINDS: readonly [Kind, string][] = [
  ["image", "Images"], ["histogram", "Histograms"], ["table", "Tables"], ["audio", "Audio"], ["video", "Video"], ["html", "HTML"],
  ["vector", "Vectors"], ["matrix", "Matrices"], ["file", "Files"],
];

const SNIPPET = `run.log({
    "samples": martlet.Image("sample.png", caption="a sample"),
    "weights": martlet.Histogram(weights),
    "errors": martlet.Table(["input", "guess"], rows),
})`;

const URL_DELAY = 300; // milliseconds: browsers forbid to write the address as often as a slider moves

export function RunMedia({ run }: { run: Run }) {
  const [values] = useState(() => new LastValues());
  const all = useMemo(() => values.of(run.summary), [values, run.summary]);
  const [search, setSearch] = useState("");
  const [kind, setKind] = useState<Kind | "all">("all");
  const [linked, setLinked] = usePref("media.linked", true);
  const [step, setStep] = useStep();
  const packed = usePacked();
  if (all.size === 0) {
    return (
      <Empty icon="media" title="No media were logged">
        <p>Histograms, tables, images, audio, video, HTML, vectors and files show here by name, over the steps.
          {hasEnded(run.state) ? "" : " They appear as soon as one is logged:"}</p>
        <div className="snippet"><pre><code>{SNIPPET}</code></pre><CopyButton text={SNIPPET} label="Copy" /></div>
      </Empty>
    );
  }
  const kinds = KINDS.filter(([each]) => [...all.values()].some(({ typed }) => typed.kind === each));
  const found = [...all.keys()].sort(byName).filter((name) =>
    name.toLowerCase().includes(search.toLowerCase()) && (kind === "all" || all.get(name)!.typed.kind === kind));
  // What takes the whole width comes after the rest of its section: no holes.
  const grouped = sections(found).map((section) => ({
    ...section, names: [...section.names].sort((a, b) => Number(isWide(all.get(a)!.typed)) - Number(isWide(all.get(b)!.typed))),
  }));
  const slot = slots.of({ id: run.id, trial: run.trial }) % COLOURS;
  return (
    <div className="media">
      <div className="toolbar media-tools">
        {all.size > 6 ? (
          <input type="search" className="field" aria-label="Find a name" placeholder="Find a name" value={search}
            onChange={(event) => setSearch(event.target.value)} />
        ) : null}
        {kinds.length > 1 ? (
          <select className="select" aria-label="Kind" value={kind} onChange={(event) => setKind(event.target.value as Kind | "all")}>
            <option value="all">All kinds</option>
            {kinds.map(([each, word]) => <option key={each} value={each}>{word}</option>)}
          </select>
        ) : null}
        <label className="control">
          <input type="checkbox" checked={linked} onChange={(event) => setLinked(event.target.checked)} />
          <span>One step for all</span>
        </label>
        {linked && step !== null
          ? <button type="button" className="text-button" onClick={() => setStep(null)}>from step {formatCount(step)} to the last</button> : null}
        <span className="grow" />
        <span className="muted small">{found.length === all.size ? plural(all.size, "name") : `${found.length} of ${plural(all.size, "name")}`}</span>
      </div>
      {found.length === 0 ? <p className="quiet-note">No name holds “{search}”.</p> : null}
      <div className="chart-grid" ref={packed}>
        {grouped.map((section) => (
          <ChartSection key={section.prefix} section={section} only={grouped.length === 1} scope={run.project} title="Media" className="media-cards">
            {(name) => linked
              ? <MediaCard key={name} run={run.id} name={name} last={all.get(name)!} slot={slot} step={step} onStep={setStep} />
              : <OwnStep key={name} run={run.id} name={name} last={all.get(name)!} slot={slot} />}
          </ChartSection>
        ))}
      </div>
    </div>
  );
}

/** A card whose slider moves nothing but itself. */
function OwnStep(props: { run: string; name: string; last: LastValue; slot: number }) {
  const [step, setStep] = useState<number | null>(null);
  return <MediaCard {...props} step={step} onStep={setStep} />;
}

/** The step that is chosen for all, as the address says it. */
function useStep(): [number | null, (step: number | null) => void] {
  const [step, setStep] = useState<number | null>(() => {
    const text = place.value.query.get("step");
    return text === null || !Number.isFinite(Number(text)) ? null : Number(text);
  });
  useEffect(() => {
    const timer = setTimeout(() => {
      const text = step === null ? null : String(step);
      if (place.value.query.get("step") !== text) setQuery({ step: text });
    }, URL_DELAY);
    return () => clearTimeout(timer);
  }, [step]);
  return [step, setStep];
}
