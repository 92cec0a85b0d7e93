// What the tests of orchestration share: engines on scratch data directories, programs for trials, deadlines.

import Foundation
import Logging
import MartletExecution
import MartletModel
import MartletOrchestration
import MartletScheduling
import MartletSearch
import MartletStore
import MartletTestSupport
import MartletTracking
import OrderedCollections
import Synchronization
import Testing

/// Keeps what was logged, so that a test can say that nothing went wrong; the first hundred lines.
final class LogBook: Sendable {
  private let kept = Mutex<[(level: Logger.Level, text: String)]>([])

  var troubles: [String] { kept.withLock { $0.filter { $0.level >= .warning }.map(\.text) } }

  func note(_ level: Logger.Level, _ text: String) {
    kept.withLock { if $0.count < 100 { $0.append((level, text)) } }
  }

  var logger: Logger { Logger(label: "test") { _ in Handler(book: self) } }

  private struct Handler: LogHandler {
    var book: LogBook
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level = .info

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { book.note(event.level, "\(event.message)") }
  }
}

/// A scratch directory with a data directory, a working directory and one engine at a time.
final class Workshop: Sendable {
  let root: String
  let book = LogBook()
  private let current = Mutex<Engine?>(nil)

  var data: String { "\(root)/data" }
  var work: String { "\(root)/work" }
  var output: String { "\(root)/out" }

  /// Runs `body` with an engine that is open and started; whatever still runs at the end is stopped.
  static func with(devices: Int = 0, _ body: (Workshop) async throws -> Void) async throws {
    let name = "martlet-orchestration-\(UUID().uuidString.prefix(8))"
    let url = FileManager.default.temporaryDirectory.appendingPathComponent(name)
    try FileManager.default.createDirectory(
      at: url.appendingPathComponent("work"), withIntermediateDirectories: true)
    let shop = Workshop(root: url.resolvingSymlinksInPath().path)
    let result: Result<Void, any Error>
    do {
      try await shop.open(devices: devices)
      try await shop.engine.start()
      result = .success(try await body(shop))
    } catch {
      result = .failure(error)
    }
    shop.killAll()
    await shop.close()
    try removeScratch(url.path)
    try result.get()
  }

  private init(root: String) { self.root = root }

  // MARK: - The engine

  var engine: Engine {
    get throws {
      guard let engine = current.withLock({ $0 }) else { throw Unexpected("no engine is open") }
      return engine
    }
  }

  /// Opens an engine on the data directory, as a server does before it listens.
  ///
  /// - Parameter supervisor: a shell script that takes the place of the supervisor; `$REAL` names the real one.
  func open(
    devices: Int = 0, pool: PoolOptions? = nil, environment: [String: String] = [:],
    supervisor: String? = nil,
    url: @escaping @Sendable () -> String = { "http://127.0.0.1:9" }
  ) async throws {
    let executable = try supervisor.map(standIn) ?? "/proc/self/exe"
    let deadline = ContinuousClock.now + .seconds(60)
    while true {
      do {
        var options = EngineOptions(
          data: data, pool: pool ?? PoolOptions(devices: .count(devices)), allowNetworkFileSystem: true,
          url: url, executable: executable, environment: environment)
        // What this machine has left is no business of a test.
        options.headroomEvery = 0
        let engine = try await Engine.open(options, logger: book.logger)
        return current.withLock { $0 = engine }
      } catch let problem as Problem where problem.code == .conflict && .now < deadline {
        // The engine before lets go of its lock when the last of its tasks has ended.
        try await Task.sleep(for: .milliseconds(20))
      }
    }
  }

  /// Makes a folder in which a script lies beside what would be the program.
  private func standIn(_ script: String) throws -> String {
    let folder = "\(root)/bin"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let real = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
      .appendingPathComponent("martlet-supervisor").path
    let path = "\(folder)/martlet-supervisor"
    try makeProgram(at: path, script: "#!/bin/sh\nREAL='\(real)'\n\(script)\n")
    return "\(folder)/martlet"
  }

  /// Ends the engine as a server does; attempts go on.
  func close() async {
    let engine = current.withLock { current in
      defer { current = nil }
      return current
    }
    await engine?.shutdown()
  }

  var access: Access {
    get throws { Access(principal: try engine.localPrincipal, token: nil, scopes: [.admin]) }
  }

  // MARK: - Files

  @discardableResult
  func write(_ name: String, _ text: String) throws -> String {
    let path = "\(work)/\(name)"
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    return path
  }

  func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: "\(work)/\(name)") }

  func text(_ path: String) throws -> String {
    try String(contentsOfFile: path.hasPrefix("/") ? path : "\(work)/\(path)", encoding: .utf8)
  }

  /// The lines of a file that trials append to; none while it is not there.
  func lines(_ name: String) throws -> [String] {
    exists(name) ? try text(name).split(separator: "\n").map(String.init) : []
  }

  // MARK: - Sweeps

  func submit(
    _ source: String, filename: String = "grid.yaml", environment: [String: String] = [:]
  ) async throws -> Sweep {
    var variables: JSONObject = [
      "PATH": .string(ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin")
    ]
    for (name, value) in environment { variables[name] = .string(value) }
    let new = try NewSweep(json: [
      "source": .string(source), "filename": .string(filename), "workdir": .string(work),
      "output": .string(output), "environment": .object(variables),
    ])
    return try await engine.createSweep(new, access: access)
  }

  func ended(_ sweep: PublicID, within seconds: Double = 120) async throws -> Sweep {
    var found = try await engine.sweep(sweep, access: access)
    let isEnd = try await eventually(within: seconds) {
      found = try await engine.sweep(sweep, access: access)
      return found.state.isEnd
    }
    guard isEnd else {
      let trials = try await trials(sweep).map { "\($0.number): \($0.state) \($0.runState)" }
      throw Unexpected("sweep \(sweep) is still \(found.state): \(trials); \(book.troubles)")
    }
    return found
  }

  func trials(_ sweep: PublicID, order: TrialOrder = .number) async throws -> [Trial] {
    try await engine.trials(sweep, order: order, access: access)
  }

  func run(_ id: PublicID) async throws -> Run { try await engine.tracking.run(id, access: access) }

  func runEnded(_ id: PublicID, within seconds: Double = 60) async throws -> Run {
    guard try await eventually(within: seconds, { try await run(id).state.isEnd }) else {
      throw Unexpected("run \(id) is still \(try await run(id).state); \(book.troubles)")
    }
    return try await run(id)
  }

  /// Waits until so many runs of a sweep run.
  func running(_ sweep: PublicID, count: Int, within seconds: Double = 60) async throws -> Bool {
    try await eventually(within: seconds) {
      try await trials(sweep).count { $0.runState == .running } == count
    }
  }

  func execute(_ command: [String], more: JSONObject = [:]) async throws -> Run {
    var body: JSONObject = [
      "project": "commands", "command": JSONValue(command), "workdir": .string(work),
      "output": .string(output),
      "environment": ["PATH": .string(ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin")],
    ]
    for (key, value) in more { body[key] = value }
    return try await engine.execute(try NewExecution(json: .object(body)), access: access)
  }

  /// Changes the database as a stranger does.
  func sql(_ text: String) throws {
    let program = "import sqlite3, sys; sqlite3.connect(sys.argv[1], timeout=60).executescript(sys.argv[2])"
    let python = ChildProcess(
      "/usr/bin/env", ["python3", "-c", program, "\(data)/martlet.db", text],
      environment: ProcessInfo.processInfo.environment)
    try #require(try python.run(within: .seconds(60)).isSuccess)
  }

  // MARK: - Processes

  /// The records of all attempts that were ever started here.
  private func attemptRecords() -> [JSONValue] {
    let runs = "\(data)/runs"
    guard let names = FileManager.default.enumerator(atPath: runs) else { return [] }
    return names.compactMap { $0 as? String }.filter { $0.hasSuffix("/attempt.json") }.compactMap { name in
      FileManager.default.contents(atPath: "\(runs)/\(name)").flatMap { try? JSONValue.parse($0) }
    }
  }

  /// Commands of attempts that are still there.
  var livingCommands: [Int32] {
    attemptRecords().compactMap { $0["command"]?["pid"]?.int.flatMap(Int32.init(exactly:)) }.filter(isAlive)
  }

  private func killAll() {
    for record in attemptRecords() {
      guard let pid = record["command"]?["pid"]?.int.flatMap(Int32.init(exactly:)), isAlive(pid) else {
        continue
      }
      // A forged record may name this very process.
      if pid == getpid() { continue }
      kill(-pid, SIGKILL)
    }
  }
}

/// The most trials that were at work at the same time, from lines `begin NAME` and `end NAME`.
func mostAtOnce(_ lines: [String]) -> Int {
  var (now, most) = (0, 0)
  for line in lines {
    now += line.hasPrefix("begin ") ? 1 : line.hasPrefix("end ") ? -1 : 0
    most = max(most, now)
  }
  return most
}

/// Programs for trials.
enum Programs {
  /// A Python program that notes its beginning and end in `notes`, has `log(step, **metrics)`, which appends to a
  /// spool file as docs/spool.md says, its parameters as `args`, and `wait(name)` for a file in its directory.
  static func python(_ body: String) -> String {
    """
    import json, os, struct, sys, time, uuid, zlib

    args = dict(word.lstrip("-").split("=", 1) for word in sys.argv[1:] if "=" in word)
    name = os.environ["MARTLET_RUN_NAME"]
    client = uuid.uuid4().hex
    spool = open(os.path.join(os.environ["MARTLET_SPOOL_DIR"], client + ".spool"), "ab", buffering=0)
    names, rows = {}, 0


    def note(word):
        with open("notes", "ab", buffering=0) as notes:
            notes.write(f"{word} {name}\\n".encode())


    def record(kind, step, payload):
        body = struct.pack("<QqqB", rows, step, int(time.time() * 1e6), kind) + payload
        spool.write(struct.pack("<II", len(body), zlib.crc32(body)) + body)


    def log(step, **metrics):
        global rows
        metrics = {key.replace("__", "/"): value for key, value in metrics.items()}
        fresh = {key: len(names) + i for i, key in enumerate(k for k in metrics if k not in names)}
        if fresh:
            names.update(fresh)
            record(1, 0, json.dumps({"names": fresh}).encode())
        ids = [names[key] for key in metrics]
        record(0, step, struct.pack(f"<{len(ids)}I{len(ids)}d", *ids, *metrics.values()))
        rows += 1


    def wait(file):
        while not os.path.exists(file):
            time.sleep(0.02)


    record(1, 0, json.dumps({"format": 1, "client": client}).encode())
    note("begin")
    \(body)
    note("end")

    """
  }
}

/// An address that is not known at first, as a server's before it listens.
final class Address: Sendable {
  private let known = Mutex(false)

  var isKnown: Bool {
    get { known.withLock { $0 } }
    set { known.withLock { $0 = newValue } }
  }

  var url: String { isKnown ? "http://127.0.0.1:10" : "" }
}
