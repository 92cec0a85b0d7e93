// What a sweep does once before its first trial: its trials wait for it.

import MartletModel

extension SweepMachine {
  /// Why it has no trials yet; nil: it does not wait for that.
  var preparationReason: String? {
    prepares && !progress.isPrepared ? "Its trials wait for its preparation." : nil
  }

  /// What is to be done in place of making trials; nil: nothing stands before them.
  mutating func preparation() -> [Action]? {
    guard prepares, !progress.isPrepared else { return nil }
    if progress.isPreparing { return [] }
    if let failure = progress.preparationFailure {
      // Also after a restart that came before the end was written down.
      state = .failed
      return [.setState(.failed, reason: "Its preparation failed: \(failure)")]
    }
    switch state {
    case .running:
      progress.isPreparing = true
      return [.prepare]
    case .paused: return []
    case .pending, .queued, .draining, .finished, .stopped, .failed, .cancelled:
      // Whoever stopped it did not want it any more.
      return nil
    }
  }

  mutating func endPreparation(_ failure: String?) -> [Action] {
    guard progress.isPreparing else { return [] }
    progress.isPreparing = false
    progress.isPrepared = failure == nil
    // Of what was stopped nobody asks how it would have gone.
    if state != .draining { progress.preparationFailure = failure }
    let told: [Action] =
      state == .running && progress.isPrepared ? [.setState(.running, reason: stopReason)] : []
    return told + fill()
  }
}
