// The sweep file that `martlet sweep new` writes.

/// A sweep file that can be run as it is, with what else it may say in comments.
package enum SweepTemplate {
  /// - Parameter program: the script that its trials run.
  package static func text(program: String) -> String {
    """
    # A sweep: what is tried, what is run, what is looked for. 'martlet sweep run FILE --dry-run' shows what it would do.
    program: \(quoted(program))
    # command: [python3, "${program}", "${args}"]   # how it is run; ${args} becomes --lr=0.1 --width=64

    # What the program logs and the search looks for.
    metric:
      name: val_loss
      goal: minimize          # or maximize
      # of: best              # of its values: best, last, mean, min or max
      # target: 0.05          # the sweep ends when a trial reaches it
    # objectives: [{name: val_loss}, {name: latency}]   # several, in place of metric
    # constraints: [latency <= 20]                      # what a trial has to meet to be the best

    # bayes learns from the trials so far; also grid, random, sobol, cmaes, nsga2 and others;
    # asha, hyperband and median draw at random and stop early what falls behind.
    method: bayes
    run_cap: 30               # trials at most
    # budget: {time: 8h, gpu_hours: 40, no_improvement: 20}   # or as soon as one of these is spent

    parameters:
      lr: {distribution: log_uniform_values, min: 1e-4, max: 1e-1}
      width: {values: [32, 64, 128]}
      layers: {min: 1, max: 4}                                  # log: true spreads it over its magnitudes
      optimizer: {values: [adam, sgd]}
      momentum: {min: 0.0, max: 0.99, when: {optimizer: sgd}}   # there only where the condition holds
      epochs: {value: 10}
      # size: {distribution: ordinal, values: [small, medium, large]}

    # where: [width * layers <= 256, optimizer != "sgd" or lr <= 0.01]   # what every point has to meet
    # derived: {weight_decay: lr / 10}                  # computed from others
    # points: [{name: usual, lr: 0.001, width: 64, layers: 2, optimizer: adam}]   # tried first
    # early_terminate: {type: hyperband, min_iter: 3}   # or median, percentile, asha, patience, threshold
    # penalties: {failure: 10, timeout: 5}   # what failed trials count as for the search; or graded, with a timeout
    # warm_start: SWEEP       # begins with what the trials of another sweep showed

    max_parallel: 2           # trials at a time; auto: as many as there is room for
    # resources: {gpus: 1}    # what each trial needs
    # timeout: 2h             # for each
    # retries: {infra: 3, oom: 1}
    """
  }

  private static func quoted(_ text: String) -> String {
    text.allSatisfy { $0.isLetter || $0.isNumber || "._-/".contains($0) } ? text : "\"\(text)\""
  }
}
