// A search that goes on with the trials of a sweep.

package import MartletModel
package import MartletSearch

extension Search {
  /// Goes on from what was kept of a sweep.
  ///
  /// - Parameters:
  ///   - saved: `state` as it was; that of a version before 10 says less, and all of it follows from the trials.
  ///   - isSameSpace: false when trials were chosen in another space than this: their points say where they lie in this.
  ///   - imported: trials of elsewhere that it learned from at its beginning.
  /// - Throws: `SearchError.unusableState`.
  package mutating func restore(
    _ saved: JSONValue, trials: some Sequence<SweepMachine.TrialRecord>, objectives: [Objective],
    imported: [Observation] = [], isSameSpace: Bool = true
  ) throws(SearchError) {
    var (ended, pending) = (imported, [PendingTrial]())
    for (number, record) in trials.enumerated() {
      let kept = record.origin.coordinates
      let isUsable = isSameSpace && kept.count == problem.cube.axes.count && !kept.isEmpty
      guard let coordinates = isUsable ? kept : problem.cube.coordinates(of: record.point) else { continue }
      guard record.state.isEnd else {
        pending.append(PendingTrial(trial: number, coordinates: coordinates, note: record.origin.note))
        continue
      }
      ended.append(
        Observation(
          trial: number, coordinates: coordinates, state: record.state,
          losses: usable(record.losses(objectives)),
          violations: record.measured.violations, note: record.origin.note, step: record.measured.step))
    }
    let state: JSONValue =
      saved["queue"] == nil ? ["method": .string(method), "queue": 0, "sampler": .null] : saved
    try restore(state, observations: ended, pending: pending)
  }
}
