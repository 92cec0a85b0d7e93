// The layers of the model that a run trains, with parameters and shapes.
import { useMemo, useState } from "react";
import { tracking } from "../api/tracking";
import type { Json, Layer, Model, Run } from "../api/types";
import { CopyButton, Empty, Failure, IconButton, Scrolled, Skeleton, copy } from "../components/basics";
import { formatCount, plural } from "../format";
import { setQuery } from "../router";
import { useOnce } from "../store/once";
import { toCSV } from "../store/tables";

const SNIPPET = "run.watch(model)";

export function RunModel({ run }: { run: Run }) {
  const { value, error, again } = useOnce((signal) => tracking.model(run.id, signal), `${run.id} ${run.state}`);
  if (error && error.status !== 404) return <Failure error={error} retry={again} />;
  if (value === null && !error) return <Skeleton rows={8} label="Reading the model" />;
  if (value === null || value.layers.length === 0) {
    return (
      <Empty icon="chip" title="No model is known">
        <p>The client tells the layers of a PyTorch model, and can log histograms of its parameters and gradients:</p>
        <div className="snippet"><pre><code>{SNIPPET}</code></pre><CopyButton text={SNIPPET} label="Copy" /></div>
      </Empty>
    );
  }
  return <Layers model={value} />;
}

/** A shape as people write one: 3 × 224 × 224, `?` where a size is open; several in brackets. */
export function shapeText(shape: Json): string {
  if (!Array.isArray(shape)) return shape === null ? "" : String(shape);
  if (shape.some(Array.isArray)) return shape.map((each) => `(${shapeText(each)})`).join(", ");
  return shape.map((size) => (size === null ? "?" : String(size))).join(" × ");
}

const depthOf = ({ name }: Layer): number => (name === "" ? 0 : name.split(".").length - 1);
const amount = (count: number | null): string => (count === null ? "" : formatCount(count));

function Layers({ model }: { model: Model }) {
  const [search, setSearch] = useState("");
  const { layers, framework } = model;
  const found = useMemo(() => layers.filter(({ name, type }) => `${name} ${type ?? ""}`.toLowerCase().includes(search.toLowerCase())), [layers, search]);
  const most = Math.max(1, ...layers.map(({ parameters }) => parameters ?? 0));
  const { parameters = null, trainable = null } = model;
  const rows = () => found.map((each): Json[] => [each.name, each.type, each.parameters, each.trainable, shapeText(each.input_shape), shapeText(each.output_shape)]);
  return (
    <section className="card" aria-label="Layers">
      <header className="card-head">
        <h2>Layers<span className="count">{formatCount(layers.length)}</span></h2>
        <IconButton icon="copy" label="Copy the layers as CSV" className="small"
          onClick={() => void copy(toCSV(["name", "type", "parameters", "trainable", "input shape", "output shape"], rows()))} />
      </header>
      <p className="model-sum">
        {parameters === null ? plural(layers.length, "layer") : <><strong>{formatCount(parameters)}</strong> parameters</>}
        {trainable === null ? null : <>, of which <strong>{formatCount(trainable)}</strong> are trained</>}
        {framework ? <span className="muted"> · {framework}</span> : null}
        <button type="button" className="text-button" onClick={() => setQuery({ tab: "media" })}>histograms</button>
      </p>
      {layers.length > 12 ? (
        <input type="search" className="field" aria-label="Find a layer" placeholder="Find a layer" value={search} onChange={(event) => setSearch(event.target.value)} />
      ) : null}
      <Scrolled label="Table of layers">
        <table className="plain layers">
          <thead>
            <tr><th scope="col">Layer</th><th scope="col">Type</th><th scope="col">Input</th><th scope="col">Output</th><th scope="col">Parameters</th><th scope="col">Trained</th></tr>
          </thead>
          <tbody>
            {found.map((layer, i) => (
              <tr key={`${i}${layer.name}`}>
                <th scope="row" style={{ paddingLeft: search === "" ? Math.min(depthOf(layer), 8) * 14 : 0 }}>{layer.name === "" ? "(the model)" : layer.name}</th>
                <td>{layer.type}</td><td>{shapeText(layer.input_shape)}</td><td>{shapeText(layer.output_shape)}</td>
                <td><span className="share" style={{ backgroundSize: `${((layer.parameters ?? 0) / most) * 100}% 100%` }}>{amount(layer.parameters)}</span></td>
                <td>{amount(layer.trainable)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scrolled>
      {found.length === 0 ? <p className="muted">No layer of that name.</p> : null}
    </section>
  );
}
