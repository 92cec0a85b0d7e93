// What people ask for: sweeps and runs begun and stopped.

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

/// What a submission needs on the disk is there, and its code is known.
struct Prepared: Sendable {
  /// Until the store has it.
  var draft: Draft
  var id: PublicID { draft.id }
  /// Where its results lie.
  var directory: String
  var capture: Capture
  /// What its search learns from at its beginning.
  var imported = ImportedTrials()
}

extension Conductor {
  /// Looks at whatever would keep a sweep from beginning, and makes nothing.
  ///
  /// - Returns: what its search learns from.
  nonisolated func check(_ new: NewSweep, access: Access) async throws -> ImportedTrials {
    try Tracking.checkName(new.name, of: "sweep")
    try Tracking.checkName(new.project, of: "project")
    // Agents bring their own.
    if new.specification.maxParallel > 0, case .number(let gpus)? = new.specification.needs?.devices,
      gpus > deviceCount
    {
      throw Problem(
        .unprocessable, "Each trial needs \(gpus) devices, but this server has \(deviceCount).",
        hint: "Start it with 'martlet up --devices N', or lower resources.gpus.")
    }
    if case .number(let gpus)? = new.specification.preparationNeeds.devices, gpus > deviceCount {
      throw Problem(
        .unprocessable, "Its preparation needs \(gpus) devices, but this server has \(deviceCount).",
        hint: "Start it with 'martlet up --devices N', or lower prepare.resources.gpus.")
    }
    try await blocking {
      guard FileManager.default.fileExists(atPath: new.workdir) else {
        throw Problem(
          .unprocessable, "The working directory \(new.workdir) does not exist on the server's machine.",
          hint: "Run the sweep from a directory that the server can see.", details: ["key": "workdir"])
      }
      if new.commandOverride == nil, let program = new.specification.program,
        !FileManager.default.fileExists(atPath: NewSweep.resolve(program, in: new.workdir))
      {
        throw Problem(
          .unprocessable, "The program '\(program)' is not in \(new.workdir).",
          hint: "Correct 'program:' in the sweep file, or name a command.", details: ["key": "program"])
      }
    }
    try await checkPrices(new.specification, in: new.project)
    return try await trialsToLearnFrom(new.specification, access: access)
  }

  /// A metric with a weight has to be known as soon as a trial has ended: it is part of what the trial counts as.
  nonisolated func checkPrices(_ specification: SweepSpecification, in project: String) async throws {
    guard !specification.softBounds.isEmpty else { return }
    let derived = try await store.read { try $0.derivedNames(inProject: project) }
    if let soft = specification.softBounds.first(where: { derived.contains($0.bound.metric) }) {
      throw Problem(
        .unprocessable, "The metric '\(soft.bound.metric)' is derived here: it can have no weight.",
        hint: "Log it, or let it be a constraint without a weight.", details: ["key": "constraints"])
    }
  }

  /// Checks a sweep and makes its directories. Not in the queue: disks and git may be slow, and decide nothing.
  nonisolated func prepare(_ new: NewSweep, access: Access) async throws -> Prepared {
    let imported = try await check(new, access: access)
    let data = data
    let draft = Draft(.sweep, try await store.write { try $0.freshSweepID() }, in: data)
    let root = new.output ?? data.results
    let name = new.name
    let machine = try await machine()
    let (directory, capture) = try await blocking { () -> (String, Capture) in
      let directory = try draft.begin {
        let directory = try Self.makeResults(in: root, name: name)
        try draft.keep(environment: new.environment.map { ($0.key, $0.value) }, results: directory)
        return directory
      }
      // What differs from trial to trial is in each run's command.
      let capture = Capture.take(
        command: new.specification.commandTemplate.interpreted, argv: nil, workdir: new.workdir,
        environment: new.environment, on: machine)
      return (directory, capture)
    }
    return Prepared(draft: draft, directory: directory, capture: capture, imported: imported)
  }

  /// Stores a sweep and begins it.
  func createSweep(_ new: NewSweep, _ prepared: Prepared, by principal: Principal) async throws {
    let (id, directory, capture) = (prepared.id, prepared.directory, prepared.capture)
    let (specification, name) = (new.specification, new.name)
    let window =
      specification.isAutomatic
      ? specification.firstWindow(
        devices: deviceCount, processors: ProcessInfo.processInfo.activeProcessorCount)
      : specification.maxParallel
    let seed = specification.seed ?? UInt64.random(in: .min ... .max)
    let imported = prepared.imported
    let search = try specification.search(seed: seed, imported: imported)
    let stopping = try specification.watcher(seed: seed)
    let sweep = Sweep(
      id: id, project: new.project, name: name, description: specification.description ?? "", state: .pending,
      method: specification.method, objective: specification.objective, parameters: specification.space.json,
      maxParallel: window, timeout: specification.timeout,
      command: specification.commandTemplate, workdir: new.workdir, outputDirectory: directory,
      spaceSize: specification.space.cardinality, budget: specification.budget, createdAt: clock.now,
      createdBy: principal.name, seed: seed, source: specification.source)
    var stored = sweep
    stored.priority = specification.priority
    stored.search = specification.searchJSON
    let kept = stored
    let environmentFile = prepared.draft.environmentFile
    let devices = deviceCount
    try await transact { core, writer, effects, now in
      let row = try writer.createSweep(
        kept, samplerState: search.state, filename: specification.filename,
        commandOverride: new.commandOverride, imported: imported.json,
        by: principal, now: now)
      try writer.setEnvironment(capture.environment, ofSweep: row)
      core.sweeps[id] = OpenSweep(
        row: row, id: id, name: name, project: new.project, specification: specification, seed: seed,
        workdir: new.workdir, directory: directory, environmentFile: environmentFile,
        environment: Dictionary(uniqueKeysWithValues: new.environment.map { ($0.key, $0.value) }),
        git: capture.git, creator: principal)
      var progress = SweepProgress()
      progress.isAutomatic = specification.isAutomatic
      let machine = SweepMachine(
        search: search, stopping: stopping, objectives: specification.objectives,
        targets: specification.targets, limits: specification.limits(budget: kept.budget),
        penalties: specification.penalties, maxParallel: window,
        breaker: specification.breaker,
        prepares: specification.preparation != nil, progress: progress)
      try core.decide(
        .addSweep(
          id,
          Scheduler.Sweep(
            machine: machine, plan: specification.plan(devices: devices),
            preparation: specification.preparationPlan)), writer, &effects, by: principal, now)
    }
  }

  /// `<root>/<name>_<YYYYMMDD_HHMMSS>`, local time; a number is added when two begin in one second.
  private static func makeResults(in root: String, name: String) throws -> String {
    var now = time(nil)
    var parts = tm()
    localtime_r(&now, &parts)
    let stamp = String(
      format: "%04d%02d%02d_%02d%02d%02d", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
      parts.tm_hour,
      parts.tm_min, parts.tm_sec)
    let label = SweepSpecification.fileName(name)
    do {
      try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
      for number in 1...1_000 {
        let path = "\(root)/\(label)_\(stamp)\(number == 1 ? "" : "_\(number)")"
        // Made in one step: of two sweeps that begin at once, only one has made it.
        guard mkdir(path, 0o777) == 0 else {
          if errno == EEXIST { continue }
          throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO)
        }
        return URL(fileURLWithPath: path).standardizedFileURL.path
      }
    } catch {
      throw Problem(
        .unprocessable, "The output directory \(root) cannot be written: \(error.localizedDescription)",
        hint: "Name another with --output.")
    }
    throw Problem(.conflict, "There are too many results of this second in \(root).", hint: "Try again.")
  }

  func stopSweep(_ id: PublicID, mode: StopMode, grace: Double?, by principal: Principal) async throws {
    guard core.sweeps[id] != nil else {
      throw Problem(.conflict, "Sweep '\(id)' has ended already.")
    }
    try await transact { core, writer, effects, now in
      for var attempt in core.attempts.values where attempt.sweep == id {
        attempt.patience = grace
        core.keep(attempt)
      }
      try core.decide(
        .sweep(id, .stop(now: mode == .now, reason: "Stopped by \(principal.name).")), writer, &effects,
        by: principal, now)
    }
  }

  /// Checks a command and writes its environment down. Not in the queue.
  nonisolated func prepare(_ new: NewExecution, name: String) async throws -> Prepared {
    try Tracking.checkName(new.project, of: "project")
    if let name = new.name { try Tracking.checkName(name, of: "run") }
    if let reason = await core.scheduler.pool.refusal(of: new.needs) {
      throw Problem(
        .unprocessable, reason, hint: "'martlet pool' shows the devices and limits of this server.")
    }
    let data = data
    let draft = Draft(.run, try await store.write { try $0.freshRunID() }, in: data)
    let machine = try await machine()
    let capture = try await blocking { () -> Capture in
      guard FileManager.default.fileExists(atPath: new.workdir) else {
        throw Problem(
          .unprocessable, "The working directory \(new.workdir) does not exist on the server's machine.")
      }
      try draft.begin { try draft.keep(environment: new.environment.map { ($0.key, $0.value) }) }
      return Capture.take(
        command: new.command, argv: new.command, workdir: new.workdir, environment: new.environment,
        on: machine)
    }
    let label = SweepSpecification.fileName(name)
    return Prepared(
      draft: draft, directory: "\(new.output ?? data.results)/\(label)_\(draft.id)", capture: capture)
  }

  /// Stores a run that Martlet executes and queues it.
  func execute(_ new: NewExecution, name: String, _ prepared: Prepared, by principal: Principal) async throws
  {
    let (id, directory, capture) = (prepared.id, prepared.directory, prepared.capture)
    var settings = ExecutionSettings(
      timeout: new.timeout, grace: new.grace, stopSignal: new.stopSignal == "USR1" ? .usr1 : .term,
      needs: new.needs, environmentFile: prepared.draft.environmentFile, seed: nil, retries: new.retries,
      readsTrainingLog: false)
    settings.resume = "*"
    settings.limits = new.limits
    let final = settings
    try await transact { core, writer, effects, now in
      let settings = final
      try writer.createExecutedRun(
        ExecutedRun(
          project: new.project, name: name, sweepRow: nil, trial: nil, config: [:], command: new.command,
          workdir: new.workdir, directory: directory, execution: settings.json),
        id: id, by: principal, now: now)
      var patch = RunPatch()
      (patch.git, patch.environment) = (capture.git, capture.environment)
      try writer.patchRun(id, patch, now: now)
      core.keep(
        OpenAttempt(
          run: id, runName: name, number: 0, state: .queued, directory: AttemptDirectory(path: directory),
          settings: settings, command: new.command, workdir: new.workdir, runDirectory: directory,
          project: new.project, config: [:], sweep: nil, trial: nil, isStopRequested: false))
      let plan = TrialPlan(
        needs: NeedsRule(settings.needs), retries: new.retries, priority: new.priority,
        timeout: settings.timeout)
      try core.decide(.submit(id, plan), writer, &effects, by: principal, now)
    }
  }

  /// Asks a run to end; one that was logged from outside hears of it with its next heartbeat.
  func stopRun(_ id: PublicID, grace: Double?, by principal: Principal) async throws {
    try await transact { core, writer, effects, now in
      if var attempt = core.attempts[id] {
        attempt.patience = grace
        core.keep(attempt)
        return try core.decide(.stop(attempt.job), writer, &effects, by: principal, now)
      }
      guard let run = try writer.run(id), !run.state.isEnd else {
        throw Problem(.conflict, "Run '\(id)' has ended already.")
      }
      try writer.requestStop(id, by: principal, now: now)
      effects.runs.append(id)
    }
  }
}
