// From a granted attempt to a started supervisor: directories, parameters, environment.

import Foundation
import Logging
import MartletExecution
import MartletModel
import MartletScheduling
import MartletStore
import MartletTracking
import OrderedCollections

extension Conductor {
  func start(_ launch: Effects.Launch) async {
    let attempt = launch.attempt
    let (url, data, devices) = (url(), data.path, startingPool.pool.devices.map(\.device))
    let confinement = confinement
    // A sweep's is known; of a run by itself it lies on the disk.
    let environment = attempt.sweep.flatMap { core.sweeps[$0]?.environment }
    do {
      let prepared = try await blocking {
        var prepared = try Self.prepare(
          launch, url: url, data: data, devices: devices,
          submitted: try environment ?? Self.submitted(attempt.settings.environmentFile))
        try Self.confine(&prepared, attempt, by: confinement)
        return prepared
      }
      supervision.launch(prepared) { [weak self] news in
        guard let self else { return }
        Task { await self.take(news, of: attempt) }
      }
    } catch {
      let problem =
        error as? Problem
        ?? Problem(
          .unavailable,
          "The directories of run '\(attempt.run)' could not be made: \(error.localizedDescription).")
      Task { await take(.failed(problem), of: attempt) }
    }
  }

  private static let identity = [
    "MARTLET_URL", "MARTLET_TOKEN", "MARTLET_PROJECT", "MARTLET_RUN_ID", "MARTLET_RUN_NAME",
    "MARTLET_ATTEMPT",
    "MARTLET_RUN_DIR", "MARTLET_CHECKPOINT_DIR", "MARTLET_SPOOL_DIR", "MARTLET_PARAMS", "MARTLET_SWEEP_ID",
    "MARTLET_TRIAL_ID", "MARTLET_SEED", "MARTLET_RESUME_FROM", "MARTLET_SHARD_INDEX", "MARTLET_SHARD_COUNT",
    "MARTLET_SHARED_DIR",
  ]

  /// Makes what the attempt needs on the disk.
  ///
  /// - Parameter submitted: the environment of whoever submitted it.
  private static func prepare(
    _ launch: Effects.Launch, url: String, data: String, devices: [Device], submitted: [String: String]
  ) throws -> AttemptLaunch {
    let attempt = launch.attempt
    try Files.makeDirectory(attempt.directory.spool, mode: 0o700)
    let checkpoints = "\(attempt.runDirectory)/checkpoints"
    try Files.makeDirectory(checkpoints)
    let params = "\(attempt.runDirectory)/params.json"
    // In its place, without waiting for the disk: nobody reads it before the attempt begins, and who starts it again writes
    // it again.
    try Files.write(attempt.config.bytes(indented: true) + [0x0A], to: params)

    var environment = submitted
    // What the submitter was itself, as an attempt of another sweep perhaps, must not be taken for this one.
    for name in identity { environment[name] = nil }
    environment["MARTLET_DATA"] = data
    environment["MARTLET_URL"] = url
    environment["MARTLET_TOKEN"] = launch.token
    environment["MARTLET_PROJECT"] = attempt.project
    environment["MARTLET_RUN_ID"] = attempt.run.rawValue
    environment["MARTLET_RUN_NAME"] = attempt.runName
    environment["MARTLET_ATTEMPT"] = String(attempt.number)
    environment["MARTLET_RUN_DIR"] = attempt.runDirectory
    environment["MARTLET_CHECKPOINT_DIR"] = checkpoints
    environment["MARTLET_SPOOL_DIR"] = attempt.directory.spool
    environment["MARTLET_PARAMS"] = params
    environment["MARTLET_SWEEP_ID"] = attempt.sweep?.rawValue
    environment["MARTLET_TRIAL_ID"] = attempt.trial.map { String($0) }
    environment["MARTLET_SEED"] = attempt.settings.seed.map { String($0) }
    if let shared = attempt.settings.shared {
      try Files.makeDirectory(shared)
      environment["MARTLET_SHARED_DIR"] = shared
    }
    if let shards = attempt.settings.shards, let trial = attempt.trial {
      environment["MARTLET_SHARD_COUNT"] = String(shards)
      environment["MARTLET_SHARD_INDEX"] = String(trial % shards)
    }
    if let pattern = attempt.settings.resume {
      let own =
        attempt.number > 1 ? Checkpoint.newestToResume(matching: pattern, in: checkpoints) : nil
      // Whoever has not come to a checkpoint of its own begins again where it began.
      let first = attempt.settings.firstCheckpoints.flatMap {
        Checkpoint.newestToResume(matching: pattern, in: $0)
      }
      environment["MARTLET_RESUME_FROM"] = own ?? first
    }
    if environment["PYTHONUNBUFFERED"] == nil { environment["PYTHONUNBUFFERED"] = "1" }
    if !devices.isEmpty { for name in DeviceEnvironment.foreign { environment[name] = nil } }
    environment.merge(DeviceEnvironment.variables(holding: launch.devices, of: devices)) { $1 }
    return AttemptLaunch(
      directory: attempt.directory, command: attempt.command, workdir: attempt.workdir,
      environment: environment,
      timeout: attempt.settings.timeout, grace: attempt.settings.grace,
      stopSignal: attempt.settings.stopSignal)
  }

  /// Makes what keeps it within its limits, and tells the libraries that would start a thread for every processor.
  private static func confine(
    _ launch: inout AttemptLaunch, _ attempt: OpenAttempt, by confinement: Confinement
  ) throws {
    let limits = attempt.settings.limits
    launch.confined = confinement.confine(Confinement.name(attempt.run, attempt.number), to: limits)
    try launch.confined.write(in: attempt.directory)
    guard let cpus = limits.cpus else { return }
    for name in Confined.threadVariables where launch.environment[name] == nil {
      launch.environment[name] = String(cpus)
    }
  }

  private static func submitted(_ path: String) throws -> [String: String] {
    let json = try JSONValue.parse(try Data(contentsOf: URL(fileURLWithPath: path)))
    return (json.object ?? [:]).reduce(into: [:]) { $0[$1.key] = $1.value.string }
  }
}
