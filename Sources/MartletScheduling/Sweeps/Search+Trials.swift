// A search that goes on with the trials of a sweep.

package import MartletModel
package import MartletSearch

extension Search {
  /// Goes on from what was kept of a sweep.
  ///
  /// - Parameters:
  ///   - saved: `state` as it was; that of a version before 10 says less, and all of it follows from the trials.
  ///   - imported: trials of elsewhere that it learned from at its beginning.
  /// - Throws: `SearchError.unusableState`.
  package mutating func restore(
    _ saved: JSONValue, trials: some Sequence<SweepMachine.TrialRecord>, objectives: [Objective],
    imported: [Observation] = []
  ) throws(SearchError) {
    var (ended, pending) = (imported, [PendingTrial]())
    for (number, record) in trials.enumerated() {
      guard let (coordinates, note) = place(of: record) else { continue }
      guard record.state.isEnd else {
        pending.append(PendingTrial(trial: number, coordinates: coordinates, note: note))
        continue
      }
      ended.append(
        Observation(
          trial: number, coordinates: coordinates, state: record.state,
          losses: usable(record.losses(objectives)),
          violations: record.measured.violations, note: note, step: record.measured.step))
    }
    let state: JSONValue =
      saved["queue"] == nil ? ["method": .string(method), "queue": 0, "sampler": .null] : saved
    try restore(state, observations: ended, pending: pending)
  }

  /// Where a trial lies in the space, which may be another than the one it was chosen in, and what its method noted of it
  /// if it is not; nil: it does not lie there.
  private func place(of record: SweepMachine.TrialRecord) -> (coordinates: [Double], note: JSONValue?)? {
    let isOther = problem.space.parameters.contains { parameter in
      // What was searched and is a constant now says something of that value only.
      guard case .constant(let own) = parameter.domain, let value = record.point[parameter.name] else {
        return false
      }
      return own != value && (own.double == nil || own.double != value.double)
    }
    guard !isOther, let found = problem.cube.coordinates(of: record.point) else { return nil }
    let kept = record.origin.coordinates
    // To the last digit as the method was told them, unless they are of an older version of the space.
    let isKept =
      kept.count == found.count
      && zip(kept, found).allSatisfy { $0.isNaN ? $1.isNaN : ($0 - $1).magnitude < 1e-9 }
    return isKept ? (kept, record.origin.note) : (found, nil)
  }
}
