// What supervisors report, taken into the queue.

import Foundation
import Logging
import MartletExecution
import MartletFormats
import MartletModel
import MartletScheduling
import MartletSeries
import MartletStore
import MartletTracking
import OrderedCollections

/// What was found when an attempt was over.
private struct AttemptRemains: Sendable {
  /// The reason that the program gave for its end.
  var said: String?
  /// Why what its sweep looks for cannot be computed.
  var objectiveFault: String?
}

extension Conductor {
  /// How often what a sweep looks for is computed at the end of an attempt: it may change meanwhile.
  private static let objectiveTries = 5

  /// Called from a watching thread's task. Reading what the attempt left behind may take long, so it is done before the
  /// queue is asked.
  nonisolated func take(_ news: AttemptNews, of attempt: OpenAttempt) async {
    var tries = 0
    while await !isClosed {
      do {
        var left = AttemptRemains()
        if case .over(let condition) = news, condition.mayLeavePoints {
          left.said = try await collect(attempt)
          if attempt.trial != nil, condition.mayBeFinished {
            // Here, beside the writer: a long history takes a while.
            left.objectiveFault = try await store.deriveObjective(of: attempt.run)
            tries += 1
            if tries > Self.objectiveTries, left.objectiveFault == nil {
              left.objectiveFault = "What the sweep looks for cannot be told: its points go on changing."
            }
          }
        }
        return try await handle(news, of: attempt, left)
      } catch is OutdatedObjective {
        // Somebody else logged to the run in between, or defined the metric anew.
        continue
      } catch {
        // A full disk, most likely: the records stay where they are, and are read again.
        logger.failure("The news of run \(attempt.run) could not be stored; trying again", error)
        // A cancelled sleep only tries earlier.
        try? await Task.sleep(for: .seconds(1))
      }
    }
  }

  /// Stores the points that the sender did not send any more. Returns the reason that the program gave for its end.
  ///
  /// - Throws: when the store cannot take them now (a full disk); what no store would take is told in the log.
  nonisolated func collect(_ attempt: OpenAttempt) async throws -> String? {
    let run = attempt.run
    var said = try await store.read { try $0.saidReason(of: run) }
    let directory = attempt.directory.spool
    // Before the rows that name them.
    try await keep("Files in \(directory)") {
      try await self.tracking.takeBlobs(in: "\(directory)/blobs", of: run)
    }
    for name in try await blocking({ try Spool.names(in: directory) }) {
      let path = "\(directory)/\(name)"
      let spool = try await blocking { try Spool.read(path: path) }
      try await keep("The spool \(path)") {
        try await self.append(spool.batches, of: run, client: spool.client)
        let (patch, faults) = RunPatch.readable(in: spool.patch)
        for fault in faults { self.logger.warning("\(path): \(fault); the rest of it is used.") }
        if patch != RunPatch() { try await self.tracking.patchRun(run, toldLate: patch, by: self.system) }
      }
      said = spool.endReason ?? said
    }
    if attempt.settings.readsTrainingLog {
      let path = "\(attempt.runDirectory)/training_log.json"
      let (batches, problem) = try await blocking { TrainingLog.batches(path: path) }
      if let problem { logger.warning("\(path): \(problem)") }
      try await keep("The log \(path)") {
        try await self.append(batches, of: run, client: "training_log.\(attempt.number)".clientID)
      }
    }
    return said
  }

  private nonisolated func append(_ batches: [RowBatch], of run: PublicID, client: String) async throws {
    for batch in batches { _ = try await tracking.append(batch, to: run, client: client) }
  }

  /// Lets one source of points fail without the others, unless it may succeed later.
  private nonisolated func keep(_ what: String, _ body: () async throws -> Void) async throws {
    do {
      try await body()
    } catch let problem as Problem where problem.code == .unavailable {
      throw problem
    } catch {
      logger.error("\(what) could not be used whole: \(error)")
    }
  }

  private func handle(
    _ news: AttemptNews, of attempt: OpenAttempt, _ remains: AttemptRemains
  ) async throws {
    let system = system
    let run = attempt.run
    if news.endsProcesses { confinement.release(Confinement.name(run, attempt.number)) }
    guard isStarted else { return postpone(news, of: attempt) }
    guard let open = core.attempts[run], open.number == attempt.number else { return }
    switch news {
    case .running(let pid):
      let limits = try await blocking { open.directory.confined.json }
      try await decideTogether { core, writer, effects, now in
        var told = Circumstances(pid: Int(pid))
        told.limits = limits
        try core.decide(
          .attempt(open.job, number: open.number, .running), told: told, writer, &effects, by: system, now)
      }
    case .over(.ended(let file)):
      // Of a short one nobody was told that it runs.
      let isNew = open.state == .starting
      let (found, pid, limits) = try await blocking {
        (
          AttemptEnd(
            file, directory: open.directory, launch: (open.settings.timeout, remains.said),
            limits: open.settings.limits, wasStopRequested: open.isStopRequested),
          isNew ? open.directory.attemptFile?.command?.pid : nil,
          isNew ? open.directory.confined.json : .null
        )
      }
      var end = found
      end.objectiveFault = remains.objectiveFault
      var told = Circumstances(pid: pid.map(Int.init))
      told.limits = limits
      if isWatched(run) { try await queue.run { await self.showLast(of: run) } }
      try await decideTogether(ending(open, end, told))
    case .over(.alive), .over(.neverStarted), .over(.lost), .failed:
      try await queue.run { try await self.handleAlone(news, of: attempt) }
    }
  }

  /// In the queue: what is more than one decision, or happens rarely.
  private func handleAlone(_ news: AttemptNews, of attempt: OpenAttempt) async throws {
    let system = system
    await showLast(of: attempt.run)
    guard let open = core.attempts[attempt.run], open.number == attempt.number else { return }
    switch news {
    case .running, .over(.ended): break
    case .over(.alive):
      // Somebody else asked its lock at the same moment: ask again.
      watchAgain(open)
    case .over(.neverStarted) where open.state == .running || open.state == .lost:
      try await end(
        open, AttemptEnd(state: .crashed, reason: "Its records in \(open.directory.path) are gone."))
    case .over(.neverStarted):
      let reason = open.isRecovered ? "Never started: the server ended before." : "Never started."
      let end = JobEnd(
        .neverStarted(isBlamed: !open.isRecovered), .preempted, reason: reason, seconds: 0)
      try await transact { core, writer, effects, now in
        try core.decide(
          .attempt(open.job, number: open.number, .over(end)), writer, &effects, by: system, now)
      }
    case .over(.lost(let file)):
      try await lose(open, file)
    case .failed(let problem):
      try await end(open, AttemptEnd(state: .failed, reason: problem.description))
    }
  }

  /// In the queue.
  func end(_ attempt: OpenAttempt, _ end: AttemptEnd) async throws {
    try await transact(ending(attempt, end))
  }

  /// - Parameter circumstances: what else is known of the attempt.
  private func ending(
    _ attempt: OpenAttempt, _ end: AttemptEnd, _ circumstances: Circumstances = Circumstances()
  ) -> Decision {
    let system = system
    return { core, writer, effects, now in
      guard let open = core.attempts[attempt.run], open.number == attempt.number else { return }
      let job = try core.jobEnd(of: open, end, writer, now)
      var told = circumstances
      (told.exit, told.startedAt) = (end.exit, end.startedAt)
      told.use = end.use
      if case .fault(let fault) = job.kind { told.use?.fault = fault.rawValue }
      try core.decide(
        .attempt(open.job, number: open.number, .over(job)), told: told, writer, &effects, by: system, now)
    }
  }

  func watchAgain(_ attempt: OpenAttempt) {
    supervision.adopt(attempt.directory) { [weak self] news in
      guard let self else { return }
      Task { await self.take(news, of: attempt) }
    }
  }
}

extension AttemptNews {
  /// Nothing of it runs any more.
  fileprivate var endsProcesses: Bool {
    switch self {
    case .over(.ended), .over(.neverStarted), .failed: true
    case .running, .over(.alive), .over(.lost): false
    }
  }
}

extension AttemptCondition {
  /// Its command left by itself, and with 0.
  var mayBeFinished: Bool {
    guard case .ended(let file) = self else { return false }
    return file.errno == 0 && file.signal == 0 && file.code == 0
  }

  /// Its sender is gone, so what lies in its spool is for us to read.
  var mayLeavePoints: Bool {
    switch self {
    case .ended, .lost: true
    case .alive, .neverStarted: false
    }
  }
}

extension String {
  /// Its characters that a client's id may have, 8 to 64 of them.
  fileprivate var clientID: String {
    let plain = map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") ? $0 : "_" }
    return String(plain.prefix(64)).padding(
      toLength: max(8, min(64, plain.count)), withPad: "_", startingAt: 0)
  }
}
