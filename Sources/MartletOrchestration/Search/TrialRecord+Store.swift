// Trials of the store as a sweep's machine remembers them.

import MartletModel
import MartletScheduling
import MartletSearch

extension SweepMachine.TrialRecord {
  init(_ trial: Trial, in space: Space) {
    self.init(
      point: space.point(flat: .object(trial.parameters)) ?? Point(values: trial.parameters),
      origin: TrialOrigin(json: trial.origin), state: trial.state, objective: trial.objective,
      measured: Measured(json: trial.measured), reason: trial.reason, verdict: Verdict(json: trial.verdict),
      attempts: trial.attempts)
  }
}
