// A real server on a free port with a data directory of its own.

import Foundation
import Glibc
import Logging
import MartletModel
import MartletOrchestration
import MartletScheduling
import MartletStore
import MartletTestSupport
import NIOCore
import OrderedCollections
import Synchronization
import Testing

@testable import MartletServer

struct TestServer: Sendable {
  let ready: ReadyServer
  private let opened: OpenedEngine
  /// The local token: admin.
  let token: String
  private let task: Task<Void, any Error>

  /// What the server works with, as long as it runs.
  var engine: Engine {
    get throws {
      guard let engine = opened.engine.withLock(\.self) else {
        throw SocketError(what: "the server has ended")
      }
      return engine
    }
  }

  var port: Int { ready.port }
  var data: String { ready.data }

  /// Runs `body` against a server, then ends it and checks that it ended well.
  static func run(
    in directory: TemporaryDirectory = TemporaryDirectory(), clock: any WallClock = SystemClock(),
    timing: LiveTiming = .patient, logger: Logger = Logger(label: "martlet"),
    _ change: (inout ServerOptions) -> Void = { _ in }, _ body: (TestServer) async throws -> Void
  ) async throws {
    let server = try await start(in: directory, clock: clock, timing: timing, logger: logger, change)
    do {
      try await body(server)
    } catch {
      try await server.stop()
      throw error
    }
    try await server.stop()
    withExtendedLifetime(directory) {}
  }

  static func start(
    in directory: TemporaryDirectory, clock: any WallClock = SystemClock(), timing: LiveTiming = .patient,
    logger: Logger = Logger(label: "martlet"), _ change: (inout ServerOptions) -> Void = { _ in }
  ) async throws -> TestServer {
    var options = ServerOptions(data: directory.path)
    change(&options)
    // A server that ended in this process holds its lock until its last task has gone.
    let deadline = ContinuousClock.now + .seconds(60)
    while true {
      do {
        return try await start(options, clock, timing, logger)
      } catch let problem as Problem
        where problem.details["pid"]?.int == Int64(getpid()) && ContinuousClock.now < deadline
      {
        try await Task.sleep(for: .milliseconds(20))
      }
    }
  }

  private static func start(
    _ options: ServerOptions, _ clock: any WallClock, _ timing: LiveTiming, _ logger: Logger
  ) async throws -> TestServer {
    let opened = OpenedEngine()
    let (readies, continuation) = AsyncThrowingStream.makeStream(of: ReadyServer.self)
    let life = ServerLife(
      options: options, signals: [], clock: clock, liveTiming: timing, patience: .seconds(120),
      logger: logger,
      onOpen: { engine in opened.engine.withLock { $0 = engine } })
    let task = Task {
      do {
        try await life.run { continuation.yield($0) }
        continuation.finish()
      } catch {
        continuation.finish(throwing: error)
        throw error
      }
    }
    var iterator = readies.makeAsyncIterator()
    let ready = try #require(try await iterator.next())
    let text = try String(contentsOfFile: ready.data + "/token", encoding: .utf8)
    return TestServer(
      ready: ready, opened: opened, token: text.trimmingCharacters(in: .whitespacesAndNewlines), task: task)
  }

  func stop() async throws {
    let answer = try await post("/api/v1/shutdown", [:])
    #expect(answer.status == 202)
    try await ended()
  }

  /// Waits for the server's end.
  func ended() async throws {
    try await task.value
    opened.engine.withLock { $0 = nil }
  }

  /// A token with these scopes, made in the store.
  func newToken(
    _ scopes: [Scope], project: String? = nil, run: PublicID? = nil, expiresAt: Timestamp? = nil
  ) async throws -> String {
    let secret = Secret.random()
    _ = try await engine.store.createToken(
      name: "test", kind: run == nil ? .token : .attempt, hash: secret.hash, scopes: scopes, project: project,
      run: run, expiresAt: expiresAt, by: engine.localPrincipal, now: SystemClock().now)
    return secret.text
  }

  /// A run from outside, and its id.
  func newRun(_ project: String = "digits", name: String = "a run") async throws -> PublicID {
    let answer = try await post("/api/v1/runs", ["project": .string(project), "name": .string(name)])
    #expect(answer.status == 201)
    return try #require(answer.json["id"]?.string.flatMap(PublicID.init(rawValue:)))
  }

  /// Logs rows of `values`, beginning at `sequence`.
  func log(_ run: PublicID, client: String = "client-1", from sequence: Int = 0, _ values: [JSONValue])
    async throws
  {
    let lines = values.enumerated().map { index, values in
      "{\"seq\":\(sequence + index),\"step\":\(sequence + index),\"time\":\(1_790_000_000_000_000 + index),\"values\":\(values.text)}"
    }
    let answer = try await request(
      "POST", "/api/v1/runs/\(run)/log?client=\(client)", token: token,
      headers: [("Content-Type", "application/x-ndjson")], body: Array(lines.joined(separator: "\n").utf8))
    #expect(answer.status == 200)
  }
}

/// Lets go of an engine when its server has ended, and of the lock on its directory with it.
private final class OpenedEngine: Sendable {
  let engine = Mutex<Engine?>(nil)
}

extension LiveTiming {
  /// A slow machine is not taken for a client that says nothing.
  static var patient: LiveTiming {
    var timing = LiveTiming()
    (timing.authentication, timing.silence) = (.seconds(60), .seconds(600))
    return timing
  }

  /// A closing frame is sent, however long that takes: for tests that read its code and then let their sockets go.
  static var patientToTheEnd: LiveTiming {
    var timing = patient
    timing.closing = .seconds(60)
    return timing
  }
}

extension ServerOptions {
  /// What tests start from.
  init(data: String) {
    self.init(
      data: data, host: "127.0.0.1", port: 0, plainHTTP: false, behindProxy: false, allowedHosts: [],
      openLoopback: false, devices: 0, allowNetworkFileSystem: true, logLevel: "critical", uiDirectory: nil)
  }

  /// So many are declared, of which nothing more is known.
  var devices: Int {
    get { if case .declared(let all) = pool.devices { all.count } else { 0 } }
    set { pool.devices = .count(newValue) }
  }
}

/// A directory that goes when it is let go.
final class TemporaryDirectory: Sendable {
  let path = FileManager.default.temporaryDirectory.path + "/martlet-" + UUID().uuidString

  deinit {
    // Best effort: what stays behind lies in the system's temporary directory.
    try? removeScratch(path)
  }
}

/// A clock that tests move.
final class MovableClock: WallClock {
  private let time = Mutex(SystemClock().now)
  var now: Timestamp { time.withLock { $0 } }
  func advance(by seconds: Double) { time.withLock { $0 = $0 + seconds } }
}
