// The trials of a sweep, ranked: parameters, objective, and the run of each.
import { useMemo } from "react";
import { mayRun } from "../api/client";
import type { Holding, QueueEntry, Sweep, Trial } from "../api/types";
import { COLOURS } from "../charts/palette";
import { IconButton, Link, useNow } from "../components/basics";
import { Icon } from "../components/Icon";
import { Pill } from "../components/Pill";
import { Table, type TableColumn } from "../components/Table";
import { flatten, formatDuration, formatMetric, formatValue, toNumber } from "../format";
import { pathOf } from "../router";
import { poolStore } from "../store/pool";
import { stopTrial } from "../store/poolchanges";
import { useStore } from "../store/store";
import { trialNote } from "../store/trialnote";

interface Props {
  sweep: Sweep;
  /** In the order in which they are shown. */
  trials: readonly Trial[];
  active: string | null;
  best: number | null;
  onOpen: (trial: Trial) => void;
  onHover: (trial: Trial | null) => void;
  /** Asks for the trial once more. */
  onAgain: (trial: Trial) => void;
  phone: boolean;
}

export function TrialsTable({ sweep, trials, active, best, onOpen, onHover, onAgain, phone }: Props) {
  const names = sweep.parameters.map(({ name }) => name);
  const pool = useStore(poolStore.state);
  const line = useMemo(() => {
    const rows = [...(pool?.queue ?? []), ...(pool?.running ?? [])].filter((each) => each.sweep === sweep.id && each.run !== null);
    return new Map(rows.map((each): [string | null, QueueEntry | Holding] => [each.run, each]));
  }, [pool, sweep.id]);
  const placed = (trial: Trial) => (trial.ended_at === null ? line.get(trial.run) ?? null : null);
  const ranks = new Map(trials.filter((trial) => Number.isFinite(toNumber(trial.objective)) && trial.state !== "failed")
    .map((trial, i) => [trial.number, i + 1]));
  const objective = sweep.metric?.name ?? "objective";
  const columns: TableColumn<Trial>[] = [
    {
      id: "rank", width: 52, align: "right", frozen: !phone, head: "Rank",
      cell: (trial) => trial.number === best
        ? <span className="best-mark" title="The best so far"><Icon name="star" size={14} /><span className="unseen">1, best</span></span>
        : ranks.get(trial.number) ?? <span className="faint">–</span>,
    },
    {
      id: "run", width: 190, frozen: !phone, head: "Run",
      cell: (trial) => trial.run === null ? <span className="muted">trial {trial.number}</span> : (
        <Link to={pathOf({ page: "run", project: sweep.project, run: trial.run })} className="run-link" title={trial.run_name ?? trial.run}>
          <span className={`swatch line-${trial.number % COLOURS}`} /><span className="clip">{trial.run_name ?? trial.run}</span>
        </Link>
      ),
    },
    { id: "state", width: 112, head: "State", cell: (trial) => <TrialState trial={trial} /> },
    {
      id: "objective", width: Math.min(220, Math.max(100, objective.length * 7.5 + 30)), align: "right", sorted: "ascending",
      head: <span className="clip" title={objective}>{objective}</span>,
      cell: (trial) => trial.objective === null ? <span className="faint">–</span>
        : <strong>{formatMetric(toNumber(trial.objective))}</strong>,
    },
    ...names.map((name): TableColumn<Trial> => ({
      id: `p:${name}`, width: Math.min(190, Math.max(84, name.length * 7.5 + 26)), align: "right",
      head: <span className="clip" title={name}>{name}</span>,
      cell: (trial) => {
        const text = formatValue(trial.params[name] ?? flatten(trial.params).get(name));
        return text === "" ? <span className="faint">–</span> : <span title={text}>{text}</span>;
      },
    })),
    ...((sweep.space_version ?? 1) > 1 ? [{
      id: "file", width: 60, align: "right" as const, head: <span title="Which version of the sweep's file it was drawn from">File</span>,
      cell: (trial: Trial) => trial.space_version ?? 1,
    }] : []),
    { id: "time", width: 96, align: "right", head: "Duration", cell: (trial) => <TrialTime trial={trial} /> },
    {
      id: "reason", width: 330, head: "Note",
      cell: (trial) => {
        const note = trialNote(trial, placed(trial));
        return <span className="muted clip" title={note}>{note}</span>;
      },
    },
    ...(mayRun() ? [{
      id: "do", width: 60, align: "right" as const, head: <span className="unseen">Actions</span>,
      cell: (trial: Trial) => {
        if (trial.ended_at !== null) {
          return sweep.state === "draining" ? null
            : <IconButton icon="again" label={`Run trial ${trial.number} again…`} className="small" onClick={() => onAgain(trial)} />;
        }
        return trial.run === null || asksToStop(placed(trial)) ? null
          : <IconButton icon="stop" label={`Stop trial ${trial.number}`} className="small" onClick={() => void stopTrial(sweep, trial.number)} />;
      },
    }] : []),
  ];
  return (
    <Table label="Trials, ranked" rows={trials} columns={columns} keyOf={(trial) => `t${trial.number}`} rowHeight={phone ? 44 : 32}
      active={active} stamp={(trial) => `${ranks.get(trial.number)}.${best}.${sweep.state}.${trialNote(trial, placed(trial))}`} onOpen={onOpen} onHover={onHover}
      dimmed={(trial) => trial.state === "failed" || trial.state === "pruned"} />
  );
}

const asksToStop = (placed: QueueEntry | Holding | null): boolean => placed !== null && "asked" in placed && placed.asked === "stop";

/** A trial that waits says so itself; one that ended badly says what its run says: timed out, killed. */
function TrialState({ trial }: { trial: Trial }) {
  const told = trial.state === "failed" && trial.run_state !== null && trial.run_state !== "finished" ? trial.run_state : trial.state;
  return <Pill state={told} />;
}

function TrialTime({ trial }: { trial: Trial }) {
  if (trial.started_at === null) return <span className="faint">–</span>;
  return trial.ended_at === null ? <Growing since={trial.started_at} /> : <>{formatDuration(trial.ended_at - trial.started_at)}</>;
}

function Growing({ since }: { since: number }) {
  return <>{formatDuration(useNow() - since)}</>;
}
