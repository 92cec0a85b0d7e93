// What the tables of a sweep are made of: the order of all its trials, and the trials themselves by the page.

import GRDB
package import MartletModel

/// A trial, and what a table shows of its run.
package struct TrialDetail: Sendable {
  package var trial: Trial
  /// Nested, as the file has it.
  package var config: JSONValue
  package var directory: String?
  /// The last value of the metric that was asked for.
  package var last: Double?
}

extension StoreReader {
  /// All trials of a sweep by number, so far as their places need them.
  package func standings(ofSweep id: PublicID) throws -> [TrialStanding] {
    var found: [TrialStanding] = []
    // A best value of NaN is kept as text.
    try forEachRow(
      """
      SELECT trial.number, trial.state, trial.objective, run.name AS run_name,
        CASE WHEN json_type(trial.findings, '$.validation.best') IN ('real', 'integer')
          THEN json_extract(trial.findings, '$.validation.best') END AS validation
      FROM trial JOIN run ON run.id = trial.run_id WHERE trial.sweep_id = ? ORDER BY trial.number
      """, [try requireSweepRow(id)]
    ) { row in
      guard let state = TrialState(rawValue: row["state"]) else {
        throw Problem(.internal, "A stored trial has an unknown state.", hint: "Run 'martlet doctor'.")
      }
      found.append(
        TrialStanding(
          number: row["number"], runName: row["run_name"], state: state, objective: row["objective"],
          validation: row["validation"]))
    }
    return found
  }

  /// Trials of a sweep in the order of these numbers; those that are not there are left out.
  ///
  /// - Parameter metric: of which the last value is wanted, too.
  package func trialDetails(
    ofSweep id: PublicID, _ numbers: [Int], metric: String? = nil
  ) throws -> [TrialDetail] {
    let (sweep, list) = (try requireSweepRow(id), JSONValue.array(numbers.map { .int(Int64($0)) }).text)
    var details: [Int: TrialDetail] = [:]
    for trial in try trials(
      "trial.sweep_id = ? AND trial.number IN (SELECT value FROM json_each(?))", [sweep, list])
    {
      details[trial.number] = TrialDetail(trial: trial, config: .null)
    }
    try forEachRow(
      """
      SELECT trial.number, run.config, run.directory, metric_summary.last, metric_summary.count
      FROM json_each(?) picked JOIN trial ON trial.sweep_id = ? AND trial.number = picked.value
        JOIN run ON run.id = trial.run_id
        LEFT JOIN metric_summary ON metric_summary.run_id = run.id
          AND metric_summary.key_id = (SELECT id FROM metric_key WHERE name = ?)
      """, [list, sweep, metric]
    ) { row in
      let number: Int = row["number"]
      details[number]?.config = try row.json("config")
      details[number]?.directory = row["directory"]
      // NaN is kept as NULL.
      if row["count"] as Int64? != nil { details[number]?.last = row["last"] ?? .nan }
    }
    return numbers.compactMap { details[$0] }
  }

  /// Trials of a sweep that have ended with metrics and whose series nobody has looked at: at most `limit`, by number, from
  /// one on.
  package func unexaminedTrials(ofSweep id: PublicID, from number: Int, limit: Int) throws -> [Trial] {
    try trials(
      """
      trial.sweep_id = ? AND trial.number >= ? AND trial.findings IS NULL AND trial.ended_at IS NOT NULL
      AND EXISTS (SELECT 1 FROM metric_summary AS logged WHERE logged.run_id = run.id)
      """, [try requireSweepRow(id), number], limit: limit)
  }
}
