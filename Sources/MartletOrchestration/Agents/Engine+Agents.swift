// Trials for agents, for whoever may run something in the sweep's project.

package import MartletModel
package import MartletScheduling
import MartletTracking

extension Engine {
  /// Gives an agent a trial of a sweep.
  package func lend(_ id: PublicID, to agent: Agent, access: Access) async throws -> LeaseAnswer {
    _ = try await sweep(id, access: access)
    let (conductor, principal) = (conductor, access.principal)
    return try await conductor.queue.run { try await conductor.lend(id, to: agent, by: principal) }
  }

  /// - Parameter beginning: that its command runs, and where; nil: nothing new.
  package func beat(
    _ claim: LeaseClaim, _ beginning: LeaseBeginning?, access: Access
  ) async throws -> LeaseOrders {
    try await check(claim, access)
    return try await conductor.beat(claim, beginning)
  }

  package func keepOutput(
    _ claim: LeaseClaim, _ stream: LogStream, at offset: Int, time: Timestamp?, _ piece: [UInt8],
    access: Access
  ) async throws -> (size: Int, accepted: Int) {
    try await check(claim, access)
    return try await conductor.keepOutput(claim, stream, at: offset, time: time ?? conductor.clock.now, piece)
  }

  /// - Returns: the run as it is then.
  package func endLease(_ claim: LeaseClaim, _ end: LeaseEnd, access: Access) async throws -> Run {
    try await check(claim, access)
    try await conductor.endLease(claim, end)
    return try await tracking.run(claim.run, access: access)
  }

  /// Who has which trial of a sweep.
  package func lentTrials(of id: PublicID, access: Access) async throws -> [LentTrial] {
    _ = try await sweep(id, access: access)
    return await conductor.lentTrials(of: id)
  }

  /// Of runs that an access may not see there is none.
  private func check(_ claim: LeaseClaim, _ access: Access) async throws {
    guard access.run == nil else {
      throw Problem(.forbidden, "The token of an attempt may only write to its own run.")
    }
    if access.project != nil { _ = try await tracking.run(claim.run, access: access) }
  }
}
