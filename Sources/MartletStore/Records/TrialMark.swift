// How far the trials of a sweep are, in a few numbers.

import GRDB
package import MartletModel

/// Differs when a trial has ended or was taken away since, or when the sweep has got another space.
package struct TrialMark: Sendable, Hashable {
  package var ended: Int
  /// When the last one ended; nil: none has.
  package var lastEnd: Timestamp?
  package var spaceVersion: Int
}

extension StoreReader {
  package func trialMark(of id: PublicID) throws -> TrialMark {
    let sweep = try requireSweepRow(id)
    let row = try Row.fetchOne(
      db.cachedStatement(
        sql: """
          SELECT count(*) AS ended, max(ended_at) AS last_end,
            (SELECT space_version FROM sweep WHERE id = ?) AS space_version
          FROM trial WHERE sweep_id = ? AND state IN ('complete', 'pruned', 'failed')
          """), arguments: [sweep, sweep])
    return TrialMark(
      ended: row?["ended"] ?? 0, lastEnd: row?.time("last_end"), spaceVersion: row?["space_version"] ?? 1)
  }
}
