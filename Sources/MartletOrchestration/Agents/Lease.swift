// What goes between a server and those who run trials in its place.

import MartletExecution
import MartletFormats
package import MartletModel
package import MartletScheduling
import OrderedCollections

/// A trial that an agent has until it ends, is given back, or the agent falls silent: all that is needed to run it anywhere.
package struct Lease: Sendable, Hashable {
  package var run: PublicID
  package var runName: String
  /// From 1 in its run.
  package var attempt: Int
  package var project: String
  package var sweep: PublicID
  package var trial: Int
  /// By dotted name.
  package var parameters: JSONObject
  package var seed: UInt64?
  /// For the attempt alone; revoked when it ends.
  package var token: String
  /// Seconds that it may take; nil: no limit.
  package var timeout: Double?
  /// Seconds between asking it to leave and SIGKILL.
  package var grace: Double
  /// `TERM` or `USR1`.
  package var stopSignal: String
  package var limits: AttemptLimits
  package var shards: Int?
  package var resume: String?
  /// The name of the run whose checkpoint its first attempt begins with.
  package var from: String?
  /// Where the sweep's runs have their folders on the server's machine.
  package var results: String
  /// The sweep's file, as it is now.
  package var source: String
  package var filename: String?
  /// Of whoever submitted it, in place of the file's.
  package var command: [String]?
  /// Seconds without a word after which it is somebody else's.
  package var silence: Double

  package var json: JSONValue {
    [
      "run": .string(run.rawValue), "run_name": .string(runName), "attempt": .int(Int64(attempt)),
      "project": .string(project), "sweep": .string(sweep.rawValue), "trial": .int(Int64(trial)),
      "params": .object(parameters), "seed": JSONValue(seed.map { String($0) }), "token": .string(token),
      "timeout": JSONValue(timeout), "grace": .double(grace), "stop_signal": .string(stopSignal),
      "limits": limits.json, "shards": JSONValue(shards), "resume": JSONValue(resume),
      "from": JSONValue(from), "output_dir": .string(results), "source": .string(source),
      "filename": JSONValue(filename), "command": command.map { JSONValue($0) } ?? .null,
      "silence": .double(silence),
    ]
  }

  /// - Throws: `JSONMemberError` for what is no lease.
  package init(json: JSONValue) throws(JSONMemberError) {
    let reader = try JSONReader(json)
    func id(_ key: String) throws(JSONMemberError) -> PublicID {
      guard let id = PublicID(rawValue: try reader.requiredString(key)) else {
        throw JSONMemberError(key: key, message: "must be an id")
      }
      return id
    }
    (run, sweep) = (try id("run"), try id("sweep"))
    runName = try reader.requiredString("run_name")
    attempt = Int(try reader.requiredInt("attempt"))
    project = try reader.requiredString("project")
    trial = Int(try reader.requiredInt("trial"))
    parameters = try reader.required("params", reader.object("params"))
    seed = try reader.string("seed").flatMap(UInt64.init)
    token = try reader.requiredString("token")
    timeout = try reader.double("timeout")
    grace = try reader.required("grace", reader.double("grace"))
    stopSignal = try reader.requiredString("stop_signal")
    limits = AttemptLimits(json: .object(try reader.required("limits", reader.object("limits"))))
    shards = try reader.int("shards").map(Int.init)
    resume = try reader.string("resume")
    from = try reader.string("from")
    results = try reader.requiredString("output_dir")
    source = try reader.requiredString("source")
    filename = try reader.string("filename")
    command = try reader.strings("command")
    silence = try reader.required("silence", reader.double("silence"))
  }

  init(
    _ attempt: OpenAttempt, sweep: OpenSweep, trial: Int, parameters: JSONObject, from: String?,
    token: String,
    silence: Double
  ) {
    let settings = attempt.settings
    run = attempt.run
    runName = attempt.runName
    self.attempt = attempt.number
    project = attempt.project
    self.sweep = sweep.id
    self.trial = trial
    self.parameters = parameters
    self.token = token
    self.from = from
    self.silence = silence
    (seed, timeout, grace) = (settings.seed, settings.timeout, settings.grace)
    (stopSignal, limits) = (settings.stopSignal.rawValue, settings.limits)
    (shards, resume) = (settings.shards, settings.resume)
    results = sweep.directory
    (source, filename) = (sweep.specification.source, sweep.specification.filename)
  }
}

/// What an agent is told that asks for a trial.
package enum LeaseAnswer: Sendable {
  case lease(Lease)
  /// There is none for it now; why, a sentence.
  case wait(reason: String)
  /// There will be none any more.
  case over(SweepState, reason: String?)

  package var json: JSONValue {
    switch self {
    case .lease(let lease): ["lease": lease.json, "wait": nil, "over": nil, "reason": nil]
    case .wait(let reason): ["lease": nil, "wait": true, "over": nil, "reason": .string(reason)]
    case .over(let state, let reason):
      ["lease": nil, "wait": nil, "over": .string(state.rawValue), "reason": JSONValue(reason)]
    }
  }
}

/// An agent's word of an attempt that it has.
package struct LeaseClaim: Sendable, Hashable {
  package var run: PublicID
  package var attempt: Int
  /// The agent's id.
  package var agent: String

  package init(run: PublicID, attempt: Int, agent: String) {
    (self.run, self.attempt, self.agent) = (run, attempt, agent)
  }
}

/// Where and as what an attempt runs that an agent has begun.
package struct LeaseBeginning: Sendable, Hashable {
  package var pid: Int
  package var host: String
  package var workdir: String
  /// The run's folder there.
  package var directory: String
  /// Its limits and what keeps them; null: it has none.
  package var limits: JSONValue

  package init(pid: Int, host: String, workdir: String, directory: String, limits: JSONValue) {
    self.pid = pid
    self.host = host
    self.workdir = workdir
    self.directory = directory
    self.limits = limits
  }
}

/// How an agent is done with an attempt.
package enum LeaseEnd: Sendable, Hashable {
  /// Its command ended: `exit.json` of docs/supervisor.md.
  case exited(JSONValue)
  /// It goes back: another agent goes on with it.
  case givenBack(reason: String)
  /// It could not be begun here; why, a sentence.
  case refused(reason: String)
}

/// What an agent that gave a sign of life is to do.
package struct LeaseOrders: Sendable, Hashable {
  /// What was asked of its attempt; nil: it goes on.
  package var ask: Job.Ask?
  /// Seconds that it is given to leave then.
  package var patience: Double

  package var json: JSONValue {
    ["ask": JSONValue(ask?.rawValue), "patience": .double(patience)]
  }
}

/// Who has which trial of a sweep.
package struct LentTrial: Sendable, Hashable {
  package var agent: Agent
  package var run: PublicID
  package var runName: String
  package var attempt: Int
  package var trial: Int
  package var state: AttemptState
  /// Seconds since the agent's last word.
  package var silence: Double

  package var json: JSONValue {
    [
      "agent": agent.json, "run": .string(run.rawValue), "run_name": .string(runName),
      "attempt": .int(Int64(attempt)), "trial": .int(Int64(trial)), "state": .string(state.rawValue),
      "silence": .double(silence),
    ]
  }
}
