// The engine's memory: what is queued and running, and who holds which device.

import MartletExecution
import MartletFormats
import MartletModel
import MartletScheduling
import MartletStore
import OrderedCollections

/// How a run is to be executed; kept with it as JSON.
struct ExecutionSettings: Sendable, Hashable {
  var timeout: Double?
  var grace: Double
  var stopSignal: AttemptLaunch.StopSignal
  var gpus: Int
  /// File of the submitter's environment.
  var environmentFile: String
  var seed: UInt64?
  /// The file that ghost's trainer writes its metrics to is read when an attempt ends.
  var readsTrainingLog: Bool

  var json: JSONValue {
    [
      "timeout": JSONValue(timeout), "grace": .double(grace), "stop_signal": .string(stopSignal.rawValue),
      "gpus": .int(Int64(gpus)), "environment": .string(environmentFile),
      "seed": JSONValue(seed.map { String($0) }), "training_log": .bool(readsTrainingLog),
    ]
  }

  init(
    timeout: Double?, grace: Double, stopSignal: AttemptLaunch.StopSignal, gpus: Int, environmentFile: String,
    seed: UInt64?, readsTrainingLog: Bool
  ) {
    self.timeout = timeout
    self.grace = grace
    self.stopSignal = stopSignal
    self.gpus = gpus
    self.environmentFile = environmentFile
    self.seed = seed
    self.readsTrainingLog = readsTrainingLog
  }

  init(json: JSONValue) {
    timeout = json["timeout"]?.double
    grace = json["grace"]?.double ?? 10
    stopSignal = json["stop_signal"]?.string.flatMap(AttemptLaunch.StopSignal.init(rawValue:)) ?? .term
    gpus = json["gpus"]?.int.map(Int.init) ?? 0
    environmentFile = json["environment"]?.string ?? ""
    seed = json["seed"]?.string.flatMap(UInt64.init)
    readsTrainingLog = json["training_log"]?.bool ?? false
  }
}

/// A run whose newest attempt has not ended.
struct OpenAttempt: Sendable {
  var run: PublicID
  var runName: String
  var number: Int
  var state: AttemptState
  var directory: AttemptDirectory
  var settings: ExecutionSettings
  var command: [String]
  var workdir: String
  var runDirectory: String
  var project: String
  var config: JSONValue
  var sweep: PublicID?
  var trial: Int?
  var isStopRequested: Bool
  /// Seconds that whoever asked for its end allows; nil: the grace of its settings.
  var patience: Double?
  /// Started by a server before this one.
  var isRecovered = false
  /// How often this server's supervisors of the run ended without having started anything.
  var failedStarts = 0

  /// Its name in the device pool.
  var holder: MartletExecution.DevicePool.Holder { run.rawValue }
}

/// A sweep that has not ended.
struct OpenSweep: Sendable {
  var row: Int64
  var id: PublicID
  var name: String
  var project: String
  var specification: SweepSpecification
  var machine: SweepMachine
  var seed: UInt64
  var workdir: String
  /// Where its runs' folders, the summary and the best model lie.
  var directory: String
  var environmentFile: String
  var environment: [String: String]
  var git: GitState?
  var creator: Principal
}

/// A value: a decision changes a copy, which becomes the engine's memory once the decision is committed.
struct Core: Sendable {
  let data: DataDirectory
  /// This machine's name.
  let host: String
  var pool: MartletExecution.DevicePool
  var sweeps: OrderedDictionary<PublicID, OpenSweep> = [:]
  /// By run.
  var attempts: OrderedDictionary<PublicID, OpenAttempt> = [:]
}

/// What is to be done once a decision is committed.
struct Effects: Sendable {
  struct Launch: Sendable {
    var attempt: OpenAttempt
    var devices: [Int]
    var token: String
  }

  struct SweepEnd: Sendable {
    var sweep: OpenSweep
    var state: SweepState
    var reason: String?
  }

  var launches: [Launch] = []
  var stops: [OpenAttempt] = []
  var runs: OrderedSet<PublicID> = []
  var sweeps: OrderedSet<PublicID> = []
  var trials: OrderedDictionary<PublicID, OrderedSet<Int>> = [:]
  /// Ids of those that were raised.
  var alerts: [Int64] = []
  /// Sweeps of which a trial ended: their summaries are out of date.
  var results: OrderedDictionary<PublicID, OpenSweep> = [:]
  /// Written to the store only after the results lie where people look for them.
  var ends: [SweepEnd] = []
}
