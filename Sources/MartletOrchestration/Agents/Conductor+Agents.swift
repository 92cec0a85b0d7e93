// Agents: people's processes that ask for trials, run them on their own machines, and say what becomes of them.

import Foundation
import Logging
import MartletExecution
import MartletFormats
import MartletModel
import MartletScheduling
import MartletSearch
import MartletStore
import MartletTracking
import OrderedCollections

/// When agents were heard of.
struct AgentWatch: Sendable {
  /// By run, seconds of the steady clock.
  var heard: [PublicID: Double] = [:]
  /// Who looks for those that have fallen silent, while somebody has a trial.
  var task: Task<Void, Never>?
}

extension Conductor {
  /// Gives an agent a trial, in the transaction that makes it. An agent that asks again, because no answer reached it, is
  /// given the same.
  ///
  /// - Throws: `Problem.unprocessable` when it has too few devices; `conflict` when it has another sweep's trial.
  func lend(_ id: PublicID, to agent: Agent, by principal: Principal) async throws -> LeaseAnswer {
    guard isStarted, !isClosed else { return .wait(reason: "The server is about to begin.") }
    guard let sweep = core.sweeps[id], let scheduled = core.scheduler.sweeps[id] else {
      let ended = try await store.read { try $0.sweep(id) }
      // Its results are being written, and then its end.
      guard let ended, ended.state.isEnd else { return .wait(reason: "The sweep is ending.") }
      return .over(ended.state, reason: ended.stateReason)
    }
    if case .number(let count)? = sweep.specification.needs?.devices, count > Int64(agent.devices) {
      throw Problem(
        .unprocessable,
        "Each trial of the sweep needs \(count) devices, and agent '\(agent.name)' has \(agent.devices).",
        hint: "Give it more with --gpu, or lower resources.gpus in the sweep's file.",
        details: ["devices": .int(count)])
    }
    let loan: Effects.Launch?
    if let job = core.scheduler.lent(to: agent.id) {
      guard let attempt = core.attempt(of: job.id), attempt.sweep == id else {
        throw Problem(.conflict, "Agent '\(agent.name)' has a trial of another sweep.")
      }
      let system = system
      loan = try await transact { core, writer, _, now in
        Effects.Launch(
          attempt: attempt, devices: [],
          token: try core.giveToken(to: attempt, writer, by: system, now))
      }
    } else if !changes(.lend(id, to: agent)) {
      // Agents ask again and again: what comes to nothing costs the store nothing.
      loan = nil
    } else {
      loan = try await transact { core, writer, effects, now in
        try core.decide(.lend(id, to: agent), writer, &effects, by: principal, now)
        return effects.loan
      }
    }
    guard let loan, let trial = loan.attempt.trial else {
      return .wait(reason: whyNone(scheduled.machine))
    }
    agents.heard[loan.attempt.run] = clock.uptime
    watchAgents()
    return .lease(try await lease(loan, of: sweep, trial: trial))
  }

  private func lease(_ loan: Effects.Launch, of sweep: OpenSweep, trial: Int) async throws -> Lease {
    let trials = core.scheduler.sweeps[sweep.id]?.machine.trials
    let record = trials.flatMap { $0.indices.contains(trial) ? $0[trial] : nil }
    let from = record?.origin.from.flatMap { from -> String? in
      guard let trials, trials.indices.contains(from) else { return nil }
      return sweep.specification.runName(
        for: trials[from].point, number: from, seed: sweep.seed, isRepeat: trials[from].origin.isRepeat)
    }
    var lease = Lease(
      loan.attempt, sweep: sweep, trial: trial, parameters: record?.point.flat.object ?? [:], from: from,
      token: loan.token, silence: agentSilence)
    lease.command = try await store.read { try $0.storedSweep(sweep.id) }?.commandOverride
    return lease
  }

  /// Why there is no trial for an agent now, a sentence.
  private func whyNone(_ machine: SweepMachine) -> String {
    switch machine.state {
    case .paused: "The sweep is paused."
    case .draining: "The sweep is ending: it begins nothing more."
    case .pending, .queued, .running, .finished, .stopped, .failed, .cancelled:
      machine.progress.isPreparing
        ? "Its trials wait for its preparation." : "All there is to do is being done."
    }
  }

  /// The attempt that an agent speaks of, if it is its own still.
  ///
  /// - Throws: `Problem.conflict`: it is over, or somebody else's.
  private func held(_ claim: LeaseClaim) throws -> OpenAttempt {
    guard let open = core.attempts[claim.run], open.number == claim.attempt, open.agent?.id == claim.agent
    else {
      throw Problem(
        .conflict, "Attempt \(claim.attempt) of run '\(claim.run)' is not this agent's any more.",
        hint: "It has ended, or its agent was not heard of for \(Int(agentSilence)) seconds.")
    }
    return open
  }

  /// A sign of life. With the first one that says so, the attempt runs.
  ///
  /// - Throws: `Problem.conflict`.
  func beat(_ claim: LeaseClaim, _ beginning: LeaseBeginning?) async throws -> LeaseOrders {
    var open = try held(claim)
    agents.heard[claim.run] = clock.uptime
    if let beginning, open.state == .starting, let agent = open.agent {
      let system = system
      try await decideTogether { core, writer, effects, now in
        guard let open = core.attempts[claim.run], open.number == claim.attempt, open.state == .starting
        else {
          return
        }
        var known = agent.json.object ?? [:]
        known["host"] = .string(beginning.host)
        (known["workdir"], known["dir"]) = (.string(beginning.workdir), .string(beginning.directory))
        try writer.setAgent(of: claim.run, number: claim.attempt, .object(known), by: system, now: now)
        var patch = RunPatch()
        patch.host = beginning.host
        try writer.patchRun(claim.run, patch, now: now)
        var told = Circumstances(pid: beginning.pid)
        told.limits = beginning.limits
        try core.decide(
          .attempt(open.job, number: open.number, .running), told: told, writer, &effects, by: system, now)
      }
      open = try held(claim)
    }
    let ask = core.scheduler.jobs[open.job]?.ask
    return LeaseOrders(ask: ask, patience: open.patience ?? open.settings.grace)
  }

  /// A piece of what the attempt prints.
  ///
  /// - Returns: the size that its log has then.
  /// - Throws: `Problem.conflict`; also, with `details.size`, when bytes are missing before these.
  nonisolated func keepOutput(
    _ claim: LeaseClaim, _ stream: LogStream, at offset: Int, time: Timestamp, _ piece: [UInt8]
  ) async throws -> (size: Int, accepted: Int) {
    let directory = try await noted(claim).directory.path
    return try await tracking.keepOutput(piece, of: stream, at: offset, time: time, in: directory)
  }

  private func noted(_ claim: LeaseClaim) throws -> OpenAttempt {
    let open = try held(claim)
    agents.heard[claim.run] = clock.uptime
    return open
  }

  /// An agent is done with an attempt.
  ///
  /// - Throws: `Problem`: `conflict`; `unprocessable` for an exit record that is none.
  nonisolated func endLease(_ claim: LeaseClaim, _ end: LeaseEnd) async throws {
    let open = try await noted(claim)
    let name = open.agent?.name ?? claim.agent
    switch end {
    case .exited(let record):
      guard let file = ExitFile(json: record) else {
        throw Problem(.unprocessable, "'exit' is no exit record.", details: ["key": "exit"])
      }
      // Beside its logs, as if it had run here: what it came to is read from there.
      try await blocking {
        try Files.makeDirectory(open.directory.path, mode: 0o700)
        try Files.write(record.bytes() + [0x0A], to: "\(open.directory.path)/exit.json")
      }
      await take(.over(.ended(file)), of: open)
    case .givenBack(let reason):
      let end = AttemptEnd(state: .preempted, reason: "Given back by agent '\(name)': \(reason)")
      try await abandon(open, end, isBlamed: false)
    case .refused(let reason):
      let end = AttemptEnd(state: .failed, reason: "Agent '\(name)' could not begin it: \(reason)")
      try await abandon(open, end, isBlamed: true)
    }
  }

  private func abandon(_ attempt: OpenAttempt, _ end: AttemptEnd, isBlamed: Bool) async throws {
    let system = system
    try await decideTogether { core, writer, effects, now in
      guard let open = core.attempts[attempt.run], open.number == attempt.number else { return }
      let job = try core.abandonment(of: open, end, isBlamed: isBlamed, writer, now)
      try core.decide(
        .attempt(open.job, number: open.number, .over(job)), told: Circumstances(exit: end.exit), writer,
        &effects, by: system, now)
    }
    agents.heard[attempt.run] = nil
  }

  // MARK: - Silence

  private var lentAttempts: [OpenAttempt] { core.attempts.values.filter { $0.agent != nil } }

  /// Who has which trial of a sweep.
  func lentTrials(of sweep: PublicID) -> [LentTrial] {
    let now = clock.uptime
    return lentAttempts.compactMap { attempt in
      guard attempt.sweep == sweep, let agent = attempt.agent, let trial = attempt.trial else { return nil }
      return LentTrial(
        agent: agent, run: attempt.run, runName: attempt.runName, attempt: attempt.number, trial: trial,
        state: attempt.state, silence: max(0, now - (agents.heard[attempt.run] ?? now)))
    }
  }

  /// Looks for agents that have fallen silent, for as long as one has a trial. Of those that a server before this one
  /// lent to, the time begins anew.
  func watchAgents() {
    guard agents.task == nil, !isClosed, !lentAttempts.isEmpty else { return }
    let pause = min(5, agentSilence / 4)
    agents.task = Task {
      while !isClosed, !lentAttempts.isEmpty {
        await endSilent()
        // A cancelled sleep only ends earlier.
        try? await Task.sleep(for: .seconds(pause))
        if Task.isCancelled { break }
      }
      agents.task = nil
      agents.heard = agents.heard.filter { core.attempts[$0.key]?.agent != nil }
    }
  }

  private func endSilent() async {
    let now = clock.uptime
    for attempt in lentAttempts {
      guard let since = agents.heard[attempt.run] else {
        agents.heard[attempt.run] = now
        continue
      }
      guard now - since > agentSilence else { continue }
      let name = attempt.agent?.name ?? ""
      let end = AttemptEnd(
        state: .crashed, reason: "Agent '\(name)' was not heard of for \(Int(agentSilence)) seconds.")
      do {
        try await abandon(attempt, end, isBlamed: true)
      } catch {
        logger.failure("Run \(attempt.run) could not be taken back from its agent; trying again", error)
      }
    }
  }
}
