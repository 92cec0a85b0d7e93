// What a sweep is: its parameters, how its trials are run, and its file in each of its versions.
import { useState } from "react";
import { sweepAPI } from "../../api/sweeps";
import type { Numeric, Parameter, Sweep } from "../../api/types";
import { CopyButton, Failure } from "../../components/basics";
import { formatCommand, formatDuration, formatNumber, formatTime, formatValue, toNumber } from "../../format";
import { useOnce } from "../../store/once";

export function Definition({ sweep }: { sweep: Sweep }) {
  const [open, setOpen] = useState(false);
  return (
    <details className="definition" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Definition</summary>
      <dl className="facts">
        {sweep.parameters.map((parameter) => (
          <div key={parameter.name}><dt>{parameter.name}</dt><dd>{space(parameter)}</dd></div>
        ))}
        {sweep.timeout === null ? null : <div><dt>Timeout of a trial</dt><dd>{formatDuration(sweep.timeout * 1e6)}</dd></div>}
        {sweep.seed === null ? null : <div><dt>Seed</dt><dd>{sweep.seed}</dd></div>}
        {sweep.workdir === null ? null : <div><dt>Working directory</dt><dd>{sweep.workdir}</dd></div>}
        {sweep.output_dir === null ? null : <div><dt>Results</dt><dd>{sweep.output_dir}</dd></div>}
        {sweep.command === null ? null : <div><dt>Command</dt><dd><code>{formatCommand(sweep.command)}</code></dd></div>}
      </dl>
      {sweep.source === null ? null : (sweep.space_version ?? 1) > 1 && open
        ? <Versions sweep={sweep} /> : <Source text={sweep.source} />}
    </details>
  );
}

/** The file as it is, or as it was before somebody changed it. */
function Versions({ sweep }: { sweep: Sweep }) {
  const { value, error, again } = useOnce((signal) => sweepAPI.versions(sweep.id, signal), `${sweep.id} ${sweep.space_version}`);
  const [chosen, setChosen] = useState<number | null>(null);
  const shown = value?.find(({ version }) => version === chosen) ?? value?.at(-1);
  return (
    <>
      {error ? <Failure error={error} retry={again} /> : null}
      {value ? (
        <label className="file-choice"><span className="muted">File</span>
          <select className="select" value={shown?.version} onChange={(event) => setChosen(Number(event.target.value))}>
            {value.map(({ version, since, by }) => (
              <option key={version} value={version}>version {version}, since {formatTime(since)} by {by}</option>
            ))}
          </select>
        </label>
      ) : null}
      <Source text={shown?.source ?? sweep.source ?? ""} />
    </>
  );
}

function Source({ text }: { text: string }) {
  return <div className="snippet"><pre><code>{text}</code></pre><CopyButton text={text} label="Copy the sweep file" /></div>;
}

/** A parameter's values in words. */
function space({ kind, values, min, max, distribution, step, q, a, b, mu, sigma, expression }: Parameter): string {
  if (expression !== undefined) return `= ${expression}`;
  if (values) return values.map(formatValue).join(kind === "ordinal" ? " < " : ", ");
  const number = (value: Numeric) => formatNumber(toNumber(value));
  const stride = step ?? q;
  const steps = stride === undefined || toNumber(stride) === 1 ? "" : `, in steps of ${number(stride)}`;
  // What bounds say by themselves is not said again.
  const name = (distribution ?? kind).replace(/^(q|int)_/, "").replace(/^uniform$/, "").replace("log_uniform_values", "on a logarithmic scale")
    .replaceAll("_", " ");
  if (min !== undefined && max !== undefined) return `${number(min)} to ${number(max)}${steps}${name === "" ? "" : `, ${name}`}`;
  if (mu !== undefined && sigma !== undefined) return `${name}, μ ${number(mu)}, σ ${number(sigma)}${steps}`;
  if (a !== undefined && b !== undefined) return `${name}(${number(a)}, ${number(b)})${steps}`;
  return distribution ?? kind;
}
