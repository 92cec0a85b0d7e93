// What an attempt finds around it: directories, parameters, variables. The same whoever starts it, the server or an agent.

package import MartletExecution
package import MartletModel
package import MartletScheduling

/// What an attempt is told, wherever it runs.
package struct AttemptSurroundings: Sendable {
  package var run: PublicID
  package var runName: String
  /// From 1.
  package var number: Int
  package var project: String
  package var sweep: PublicID?
  package var trial: Int?
  package var seed: UInt64?
  /// Its parameters, nested.
  package var config: JSONValue
  package var directory: AttemptDirectory
  /// For what it makes.
  package var runDirectory: String
  /// For what all trials of its sweep use.
  package var shared: String?
  package var shards: Int?
  /// Which of its checkpoints a later attempt goes on from, a shell pattern; nil: none.
  package var resume: String?
  /// Where its first attempt finds a checkpoint to go on from; nil: it begins anew.
  package var firstCheckpoints: String?
  /// Where it writes to, and by what right.
  package var url: String
  package var token: String
  /// The data directory, where there is one on this machine.
  package var data: String?

  package init(
    run: PublicID, runName: String, number: Int, project: String, config: JSONValue,
    directory: AttemptDirectory,
    runDirectory: String, url: String, token: String
  ) {
    self.run = run
    self.runName = runName
    self.number = number
    self.project = project
    self.config = config
    self.directory = directory
    self.runDirectory = runDirectory
    self.url = url
    self.token = token
  }

  /// The file of its parameters.
  package var paramsFile: String { "\(runDirectory)/params.json" }

  private static let identity = [
    "MARTLET_DATA", "MARTLET_URL", "MARTLET_TOKEN", "MARTLET_PROJECT", "MARTLET_RUN_ID", "MARTLET_RUN_NAME",
    "MARTLET_ATTEMPT", "MARTLET_RUN_DIR", "MARTLET_CHECKPOINT_DIR", "MARTLET_SPOOL_DIR", "MARTLET_PARAMS",
    "MARTLET_SWEEP_ID", "MARTLET_TRIAL_ID", "MARTLET_SEED", "MARTLET_RESUME_FROM", "MARTLET_SHARD_INDEX",
    "MARTLET_SHARD_COUNT", "MARTLET_SHARED_DIR",
  ]

  /// Makes what the attempt needs on the disk. Blocks.
  ///
  /// - Parameters:
  ///   - submitted: the environment of whoever wants it.
  ///   - held: numbers of the devices that it has; of all there are.
  /// - Returns: its environment.
  /// - Throws: `Problem.unavailable`.
  package func prepare(
    submitted: [String: String], holding held: [Int], of devices: [Device]
  ) throws -> [String: String] {
    try Files.makeDirectory(directory.spool, mode: 0o700)
    let checkpoints = "\(runDirectory)/checkpoints"
    try Files.makeDirectory(checkpoints)
    // In its place, without waiting for the disk: nobody reads it before the attempt begins, and who starts it again writes
    // it again.
    try Files.write(config.bytes(indented: true) + [0x0A], to: paramsFile)

    var environment = submitted
    // What the submitter was itself, as an attempt of another sweep perhaps, must not be taken for this one.
    for name in Self.identity { environment[name] = nil }
    environment["MARTLET_DATA"] = data
    environment["MARTLET_URL"] = url
    environment["MARTLET_TOKEN"] = token
    environment["MARTLET_PROJECT"] = project
    environment["MARTLET_RUN_ID"] = run.rawValue
    environment["MARTLET_RUN_NAME"] = runName
    environment["MARTLET_ATTEMPT"] = String(number)
    environment["MARTLET_RUN_DIR"] = runDirectory
    environment["MARTLET_CHECKPOINT_DIR"] = checkpoints
    environment["MARTLET_SPOOL_DIR"] = directory.spool
    environment["MARTLET_PARAMS"] = paramsFile
    environment["MARTLET_SWEEP_ID"] = sweep?.rawValue
    environment["MARTLET_TRIAL_ID"] = trial.map { String($0) }
    environment["MARTLET_SEED"] = seed.map { String($0) }
    if let shared {
      try Files.makeDirectory(shared)
      environment["MARTLET_SHARED_DIR"] = shared
    }
    if let shards, let trial {
      environment["MARTLET_SHARD_COUNT"] = String(shards)
      environment["MARTLET_SHARD_INDEX"] = String(trial % shards)
    }
    if let pattern = resume {
      let own = number > 1 ? Checkpoint.newestToResume(matching: pattern, in: checkpoints) : nil
      // Whoever has not come to a checkpoint of its own begins again where it began.
      let first = firstCheckpoints.flatMap { Checkpoint.newestToResume(matching: pattern, in: $0) }
      environment["MARTLET_RESUME_FROM"] = own ?? first
    }
    if environment["PYTHONUNBUFFERED"] == nil { environment["PYTHONUNBUFFERED"] = "1" }
    if !devices.isEmpty { for name in DeviceEnvironment.foreign { environment[name] = nil } }
    environment.merge(DeviceEnvironment.variables(holding: held, of: devices)) { $1 }
    return environment
  }
}

extension AttemptLaunch {
  /// Makes what keeps it within its limits, and tells the libraries that would start a thread for every processor. Blocks.
  package mutating func confine(
    _ run: PublicID, _ number: Int, to limits: AttemptLimits, by confinement: Confinement
  ) throws {
    confined = confinement.confine(Confinement.name(run, number), to: limits)
    try confined.write(in: directory)
    guard let cpus = limits.cpus else { return }
    for name in Confined.threadVariables where environment[name] == nil { environment[name] = String(cpus) }
  }
}
