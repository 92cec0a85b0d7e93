// Control of what runs and waits, for whoever may see it.

package import MartletModel
import MartletScheduling
import MartletStore
import MartletTracking

extension Engine {
  // MARK: - Runs

  /// Asks a run to give its devices back; another attempt follows.
  ///
  /// - Parameter keepsPlace: it stands in its old place of the line then, not at the end.
  package func preempt(_ run: PublicID, keepsPlace: Bool, access: Access) async throws -> Run {
    _ = try await tracking.run(run, access: access)
    let (conductor, principal) = (conductor, access.principal)
    try await conductor.queue.run {
      try await conductor.preempt(run, keepsPlace: keepsPlace, by: principal)
    }
    return try await tracking.run(run, access: access)
  }

  /// Gives a run that waits another place in the line.
  ///
  /// - Returns: its entry of the queue; it may have begun.
  package func move(_ run: PublicID, _ change: QueueChange, access: Access) async throws -> JSONValue {
    _ = try await tracking.run(run, access: access)
    let (conductor, principal) = (conductor, access.principal)
    try await conductor.queue.run { try await conductor.move(run, change, by: principal) }
    return await view(access).entry(of: run)
  }

  // MARK: - Sweeps

  func change(
    _ id: PublicID, access: Access, _ body: @escaping @Sendable (Conductor, Principal) async throws -> Void
  ) async throws -> Sweep {
    _ = try await sweep(id, access: access)
    let (conductor, principal) = (conductor, access.principal)
    try await conductor.queue.run { try await body(conductor, principal) }
    return try await sweep(id, access: access)
  }

  package func pauseSweep(_ id: PublicID, access: Access) async throws -> Sweep {
    try await change(id, access: access) { try await $0.pauseSweep(id, by: $1) }
  }

  package func resumeSweep(_ id: PublicID, access: Access) async throws -> Sweep {
    try await change(id, access: access) { try await $0.resumeSweep(id, by: $1) }
  }

  package func changeSweep(_ id: PublicID, _ change: SweepChange, access: Access) async throws -> Sweep {
    try await self.change(id, access: access) { try await $0.changeSweep(id, change, by: $1) }
  }

  /// Asks one trial to end; the others go on.
  package func stopTrial(
    _ number: Int, of id: PublicID, grace: Double?, access: Access
  ) async throws -> Trial {
    _ = try await change(id, access: access) {
      try await $0.stopTrial(number, of: id, grace: grace, by: $1)
    }
    guard let trial = try await trials(id, numbers: [number], access: access).first else {
      throw Problem(.notFound, "Sweep '\(id)' has no trial \(number).")
    }
    return trial
  }

  /// What happened to a sweep and its trials, oldest first.
  package func events(
    ofSweep id: PublicID, _ page: PageRequest, access: Access
  ) async throws -> Page<RunEvent> {
    _ = try await sweep(id, access: access)
    return try await store.read { try $0.events(ofSweep: id, page) }
  }

  // MARK: - Pool

  /// Devices, who holds them, and who waits.
  ///
  /// - Parameters:
  ///   - run: only this one in what runs and waits.
  ///   - sweep: likewise.
  ///   - limit: entries of the queue; nil: all.
  package func pool(
    run: PublicID? = nil, sweep: PublicID? = nil, limit: Int? = nil, access: Access
  ) async -> JSONValue {
    await view(access).json(run: run, sweep: sweep, limit: limit)
  }

  /// A long line is put into words beside the conductor, which must not wait for it.
  func view(_ access: Access) async -> PoolView {
    let readings = await poolReadings()
    return PoolView(
      core: await conductor.core, now: conductor.clock.now, access: access, readings: readings)
  }
}
