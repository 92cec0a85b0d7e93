// The engine's memory: the scheduler, which decides, and what its jobs and sweeps are made of.

import HashTreeCollections
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
  var needs: Needs
  /// File of the submitter's environment.
  var environmentFile: String
  var seed: UInt64?
  /// Of a run that belongs to no sweep; a trial's are its sweep's.
  var retries: RetryPolicy?
  /// The file that ghost's trainer writes its metrics to is read when an attempt ends.
  var readsTrainingLog: Bool
  /// Over how many parts of the data the trials of its sweep are spread.
  var shards: Int?
  /// What its sweep's trials have in common: a directory.
  var shared: String?
  /// Which of its checkpoints a later attempt goes on from, a shell pattern; nil: none.
  var resume: String?
  /// Where its first attempt finds a checkpoint to go on from; nil: it begins anew.
  var firstCheckpoints: String?
  /// Of an attempt, beside its time.
  var limits = AttemptLimits()

  var json: JSONValue {
    [
      "timeout": JSONValue(timeout), "grace": .double(grace), "stop_signal": .string(stopSignal.rawValue),
      "gpus": .int(Int64(needs.devices)), "needs": needs.json, "environment": .string(environmentFile),
      "seed": JSONValue(seed.map { String($0) }), "training_log": .bool(readsTrainingLog),
      "shards": JSONValue(shards), "shared": JSONValue(shared), "resume": JSONValue(resume),
      "retries": retries?.json ?? .null, "first_checkpoints": JSONValue(firstCheckpoints),
      "limits": limits == AttemptLimits() ? .null : limits.json,
    ]
  }

  init(
    timeout: Double?, grace: Double, stopSignal: AttemptLaunch.StopSignal, needs: Needs,
    environmentFile: String,
    seed: UInt64?, retries: RetryPolicy? = nil, readsTrainingLog: Bool
  ) {
    self.timeout = timeout
    self.grace = grace
    self.stopSignal = stopSignal
    self.needs = needs
    self.environmentFile = environmentFile
    self.seed = seed
    self.retries = retries
    self.readsTrainingLog = readsTrainingLog
  }

  init(json: JSONValue) {
    timeout = json["timeout"]?.double
    grace = json["grace"]?.double ?? 10
    stopSignal = json["stop_signal"]?.string.flatMap(AttemptLaunch.StopSignal.init(rawValue:)) ?? .term
    needs = Needs(json: json["needs"] ?? ["gpus": json["gpus"] ?? 0])
    environmentFile = json["environment"]?.string ?? ""
    seed = json["seed"]?.string.flatMap(UInt64.init)
    retries = json["retries"].flatMap { $0.isNull ? nil : RetryPolicy(json: $0) }
    readsTrainingLog = json["training_log"]?.bool ?? false
    shards = json["shards"]?.int.map(Int.init)
    shared = json["shared"]?.string
    resume = json["resume"]?.string
    firstCheckpoints = json["first_checkpoints"]?.string
    limits = AttemptLimits(json: json["limits"] ?? .null)
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
  /// When the attempt was made.
  var queuedAt = Timestamp(microseconds: 0)

  /// Its name in the scheduler.
  var job: JobID {
    switch (sweep, trial) {
    case (let sweep?, let trial?): .trial(sweep: sweep, number: trial)
    case (let sweep?, nil): .preparation(sweep: sweep)
    case (nil, _): .run(run)
    }
  }
}

/// A sweep that has not ended.
struct OpenSweep: Sendable {
  var row: Int64
  var id: PublicID
  var name: String
  var project: String
  var specification: SweepSpecification
  var seed: UInt64
  var workdir: String
  /// Where its runs' folders, the summary and the best model lie.
  var directory: String
  var environmentFile: String
  var environment: [String: String]
  var git: GitState?
  var creator: Principal

  /// For what all its trials use.
  var sharedDirectory: String { "\(directory)/shared" }
}

/// A value: a decision changes a copy, which becomes the engine's memory once the decision is committed. What there may be
/// thousands of is kept so that copies share it: a decision costs the same however large its sweep is.
struct Core: Sendable {
  let data: DataDirectory
  /// This machine's name.
  let host: String
  var scheduler: Scheduler
  /// The policy that the server was started with, and the one that is written down.
  private(set) var policies = (declared: PoolPolicy(), written: PoolPolicy())
  var sweeps: OrderedDictionary<PublicID, OpenSweep> = [:]
  /// By run.
  private(set) var attempts = Roster<PublicID, OpenAttempt>()
  private var runs: TreeDictionary<JobID, PublicID> = [:]

  init(data: DataDirectory, host: String, scheduler: Scheduler, declared: PoolPolicy) {
    (self.data, self.host, self.scheduler) = (data, host, scheduler)
    policies = (declared, scheduler.pool.policy)
  }

  /// Notes that a policy is written down.
  mutating func wrote(_ policy: PoolPolicy) { policies.written = policy }

  /// The run of a job that has not ended.
  func attempt(of job: JobID) -> OpenAttempt? { runs[job].flatMap { attempts[$0] } }

  mutating func keep(_ attempt: OpenAttempt) {
    attempts[attempt.run] = attempt
    runs[attempt.job] = attempt.run
  }

  mutating func forget(_ attempt: OpenAttempt) {
    attempts[attempt.run] = nil
    runs[attempt.job] = nil
  }
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
  /// Something was decided: who runs or waits may be others.
  var changesPool = false
  /// Ids of those that were raised.
  var alerts: [Int64] = []
  /// Sweeps of which a trial ended: their summaries are out of date.
  var results: OrderedDictionary<PublicID, OpenSweep> = [:]
  /// When the scheduler wants to be woken; seconds since 1970.
  var wakes: [Double] = []
  /// Written to the store only after the results lie where people look for them.
  var ends: [SweepEnd] = []
}
