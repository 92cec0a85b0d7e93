"""A quick stand-in for a mixture-of-experts trainer: its flags and its files, with losses from a formula.

It writes training_log.json (rewritten after every evaluation), best_model.pt and config.json into
--checkpoint_dir. The same flags always give the same numbers.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
from pathlib import Path


def parse_flags() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, standard in {
        "embed_dim": 256,
        "num_layers": 4,
        "num_experts": 4,
        "gnn_layers": 2,
        "num_ghost_experts": 4,
        "batch_size": 32,
        "epochs": 1,
        "max_batches_per_epoch": 100,
        "num_train_samples": 2000,
        "num_eval_samples": 400,
        "eval_every": 50,
    }.items():
        parser.add_argument(f"--{name}", type=int, default=standard)
    for name, standard in {
        "learning_rate": 5e-4,
        "dropout_rate": 0.1,
        "ghost_activation_threshold": 0.75,
        "ghost_learning_rate": 1e-4,
    }.items():
        parser.add_argument(f"--{name}", type=float, default=standard)
    parser.add_argument("--quiet", action="store_true")
    parser.add_argument("--checkpoint_dir", type=Path, required=True)
    parser.add_argument("--run_name", required=True)
    return parser.parse_args()


def final_loss(flags: argparse.Namespace) -> float:
    """A bowl over the parameters: bigger models are better, rates have an optimum."""
    size = flags.embed_dim * flags.num_layers * flags.num_experts * flags.gnn_layers
    ghosts = 0.02 * math.log2(flags.num_ghost_experts / 4) ** 2
    threshold = 0.5 * (flags.ghost_activation_threshold - 0.75) ** 2
    rate = 0.05 * math.log10(flags.learning_rate / 2e-4) ** 2
    ghost_rate = 0.03 * math.log10(flags.ghost_learning_rate / 5e-5) ** 2
    dropout = 2 * (flags.dropout_rate - 0.2) ** 2
    batch = 0.02 * math.log2(flags.batch_size / 32) ** 2
    return 4.2 - 0.08 * math.log2(size / 4096) + ghosts + threshold + rate + ghost_rate + dropout + batch


def write(path: Path, text: str) -> None:
    """Puts the whole file in place at once: a reader never sees half of it."""
    partial = path.with_suffix(path.suffix + ".part")
    partial.write_text(text)
    os.replace(partial, path)


def main() -> None:
    flags = parse_flags()
    flags.checkpoint_dir.mkdir(parents=True, exist_ok=True)
    settings = {k: v for k, v in sorted(vars(flags).items()) if k != "checkpoint_dir"}
    write(flags.checkpoint_dir / "config.json", json.dumps(settings, indent=2) + "\n")

    noise = random.Random(json.dumps({k: v for k, v in settings.items() if k != "run_name"}))
    floor = final_loss(flags)
    log: list[dict[str, float]] = []
    best = math.inf
    steps = flags.epochs * flags.max_batches_per_epoch
    for step in range(1, steps + 1):
        train_loss = floor - 0.1 + 6.0 * math.exp(-step / 25) + noise.uniform(-0.02, 0.02)
        if step % 5 == 0 and not flags.quiet:
            print(f"step {step}/{steps} loss {train_loss:.4f} lr {flags.learning_rate:.2e}", flush=True)
        if step % flags.eval_every and step != steps:
            continue
        eval_loss = floor + 6.0 * math.exp(-step / 25) + noise.uniform(-0.01, 0.01)
        log.append(
            {
                "step": step,
                "train_loss": train_loss,
                "eval_loss": eval_loss,
                "eval_perplexity": math.exp(eval_loss),
            }
        )
        write(flags.checkpoint_dir / "training_log.json", json.dumps(log, indent=2) + "\n")
        print(f"eval {step}/{steps} loss {eval_loss:.4f} perplexity {math.exp(eval_loss):.2f}", flush=True)
        if eval_loss < best:
            best = eval_loss
            model = {"step": step, "eval_loss": eval_loss, "settings": settings}
            write(flags.checkpoint_dir / "best_model.pt", json.dumps(model) + "\n")


if __name__ == "__main__":
    main()
