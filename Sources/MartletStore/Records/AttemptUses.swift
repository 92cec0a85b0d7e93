// What attempts may use, and what they came to.

import GRDB
package import MartletModel

extension NamedColumns {
  func attemptUse() -> AttemptUse {
    AttemptUse(
      peakMemory: self["peak_memory"], cpuSeconds: self["cpu_seconds"], limit: self["limit_reached"],
      fault: self["fault"])
  }
}

extension StoreWriter {
  /// What an attempt came to; what is nil leaves what was known before.
  package func setUse(of run: PublicID, number: Int, _ use: AttemptUse) throws {
    try db.executeCached(
      sql: """
        UPDATE attempt SET peak_memory = coalesce(?, peak_memory), cpu_seconds = coalesce(?, cpu_seconds),
          limit_reached = coalesce(?, limit_reached), fault = coalesce(?, fault) WHERE run_id = ? AND number = ?
        """,
      arguments: [use.peakMemory, use.cpuSeconds, use.limit, use.fault, try requireRunRow(run), number])
  }

  /// The limits of an attempt, and what keeps them.
  package func setLimits(of run: PublicID, number: Int, _ limits: JSONValue) throws {
    try db.executeCached(
      sql: "UPDATE attempt SET limits = ? WHERE run_id = ? AND number = ?",
      arguments: [limits.text, try requireRunRow(run), number])
  }
}
