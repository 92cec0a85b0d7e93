// Attempts whose supervisors were killed: this server sees them to their ends.

import Foundation
import Logging
import MartletExecution
import MartletModel
import MartletScheduling
import MartletStore
import MartletTracking
import OrderedCollections

extension Conductor {
  /// Its supervisor was killed: `lost` while its command still runs, however long; over once that is gone.
  ///
  /// A heartbeat makes it `running` in the store again. Here it stays `lost`: whoever decides asks only who sees to it.
  func lose(_ attempt: OpenAttempt, _ file: AttemptFile) async throws {
    guard file.bootID == currentBootID() else {
      confinement.release(Confinement.name(attempt.run, attempt.number))
      let reason =
        file.bootID.isEmpty ? "Its record is damaged." : "The machine was restarted while it ran."
      return try await end(attempt, AttemptEnd(state: .crashed, reason: reason))
    }
    guard let command = file.command else {
      // The record is there, the lock is free, and no command is in it: nothing runs.
      confinement.release(Confinement.name(attempt.run, attempt.number))
      return try await end(
        attempt, AttemptEnd(state: .crashed, reason: "Its supervisor was killed before it started."))
    }
    guard lost[attempt.run] == nil else { return }
    if command.exists, attempt.state != .lost {
      let system = system
      try await transact { core, writer, effects, now in
        let exit = ExitRecord(
          code: nil, signal: nil,
          reason: "Its supervisor was killed; process \(command.pid) runs on without one.")
        try core.decide(
          .attempt(attempt.job, number: attempt.number, .lost), told: Circumstances(exit: exit), writer,
          &effects,
          by: system, now)
      }
    }
    let settings = attempt.settings
    let watch = LostWatch(
      attempt.directory, command: command, timeout: settings.timeout, grace: settings.grace,
      stopSignal: settings.stopSignal
    ) { [weak self] cause in
      guard let self else { return }
      Task { await self.takeEnd(of: attempt, cause) }
    }
    lost[attempt.run] = watch
    if attempt.isStopRequested { watch.stop(patience: attempt.patience) }
  }

  private func takeEnd(of attempt: OpenAttempt, _ cause: LostAttempt.Cause) async {
    confinement.release(Confinement.name(attempt.run, attempt.number))
    let end =
      switch cause {
      case .unknown:
        AttemptEnd(
          state: .crashed,
          reason: "Its supervisor was killed, and then its process was gone; how it ended is not known.")
      case .request:
        AttemptEnd(state: .stopped, reason: "Stopped on request, after its supervisor was killed.")
      case .timeLimit:
        AttemptEnd(state: .timedOut, reason: "Ended by its time limit, after its supervisor was killed.")
      }
    while !isClosed {
      do {
        _ = try await collect(attempt)
        return try await queue.run {
          try await self.end(attempt, end)
          await self.forget(attempt)
        }
      } catch {
        logger.failure("The end of run \(attempt.run) could not be stored; trying again", error)
        // A cancelled sleep only tries earlier.
        try? await Task.sleep(for: .seconds(1))
      }
    }
  }

  private func forget(_ attempt: OpenAttempt) { lost[attempt.run] = nil }
}
