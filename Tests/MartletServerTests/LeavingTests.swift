// Clients that leave before their answer is there: over real sockets.

import Dispatch
import MartletModel
import MartletOrchestration
import MartletTestSupport
import OrderedCollections
import Synchronization
import Testing

@testable import MartletServer
@testable import MartletStore

/// Says that something has happened.
private final class Flag: Sendable {
  private let state = Mutex(false)
  var isUp: Bool { state.withLock(\.self) }
  func raise() { state.withLock { $0 = true } }
}

@Suite(.serialized) struct LeavingTests {
  /// A request as a client sends it that keeps its connection.
  private func request(_ server: TestServer, _ method: String, _ path: String, _ body: JSONValue? = nil)
    -> [UInt8]
  {
    let bytes = body?.bytes() ?? []
    let head = """
      \(method) \(path) HTTP/1.1\r
      Host: 127.0.0.1:\(server.port)\r
      Authorization: Bearer \(server.token)\r
      Content-Type: application/json\r
      Content-Length: \(bytes.count)\r
      \r

      """
    return Array(head.utf8) + bytes
  }

  /// A run with a metric that is derived.
  private func derived(_ server: TestServer) async throws -> PublicID {
    let run = try await server.newRun()
    try await server.log(run, [["loss": 1], ["loss": 2]])
    let defined = try await server.send(
      "PUT", "/api/v1/projects/digits/derived", ["name": "twice", "expression": "2 * loss"])
    #expect(defined.status == 201)
    return run
  }

  /// Holds all turns of derived series while `body` runs, which is given what lets them go.
  private func holdingTurns(
    _ store: Store, _ body: (_ release: @Sendable () -> Void) async throws -> Void
  ) async throws {
    let held = [Flag(), Flag()]
    let isDone = Flag()
    let release: @Sendable () -> Void = { isDone.raise() }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for flag in held {
        group.addTask {
          try await store.derivedTurns.run {
            flag.raise()
            while !isDone.isUp { try await Task.sleep(for: .milliseconds(5)) }
          }
        }
      }
      defer { release() }
      try await eventually("all turns are taken") { held.allSatisfy(\.isUp) }
      try await body(release)
      release()
      try await group.waitForAll()
    }
  }

  @Test func `what is computed for a client that leaves ends`() async throws {
    try await TestServer.run { server in
      let run = try await derived(server)
      let store = try server.engine.store
      let series = request(server, "POST", "/api/v1/series", ["runs": [.string(run.rawValue)]])
      try await holdingTurns(store) { release in
        let (leaving, staying) = (try Socket(port: server.port), try Socket(port: server.port))
        try await leaving.send(series)
        try await eventually("the first waits") { store.derivedTurns.waiting == 1 }
        try await staying.send(series)
        try await eventually("both wait") { store.derivedTurns.waiting == 2 }
        leaving.hangUp()
        // Nobody has let it through: it has given up.
        try await eventually("the first waits no more") { store.derivedTurns.waiting == 1 }
        // Whoever stays is answered, on the same connection as often as it asks.
        release()
        let first = try await readAnswer(from: staying)
        #expect(first.status == 200)
        #expect(first.json["series"]?.array?.map { $0["key"] } == ["loss", "twice"])
        try await staying.send(request(server, "GET", "/api/v1/runs/\(run)"))
        #expect(try await readAnswer(from: staying).json["id"] == .string(run.rawValue))
      }
    }
  }

  @Test func `a client that shuts its side is told that it has left`() async throws {
    try await TestServer.run { server in
      let run = try await derived(server)
      let store = try server.engine.store
      try await holdingTurns(store) { _ in
        let socket = try Socket(port: server.port)
        try await socket.send(
          request(server, "POST", "/api/v1/series", ["runs": [.string(run.rawValue)]]))
        try await eventually("it waits") { store.derivedTurns.waiting == 1 }
        socket.endSending()
        #expect(try await readAnswer(from: socket).status == 400)
      }
    }
  }

  /// What changes something is seen through to its end, whoever leaves.
  @Test func `a change is made although its client has left`() async throws {
    try await TestServer.run { server in
      let run = try await server.newRun()
      let store = try server.engine.store
      let began = Flag()
      let release = DispatchSemaphore(value: 0)
      let holding = Task {
        try await store.write { _ in
          began.raise()
          release.wait()
        }
      }
      try await eventually("the writer is held") { began.isUp }
      let socket = try Socket(port: server.port)
      try await socket.send(request(server, "PATCH", "/api/v1/runs/\(run)", ["notes": "kept"]))
      // It cannot be made yet.
      #expect(try await server.get("/api/v1/runs/\(run)").json["notes"] == "")
      socket.hangUp()
      release.signal()
      try await holding.value
      try await eventually("it is changed") {
        try await server.get("/api/v1/runs/\(run)").json["notes"] == "kept"
      }
    }
  }
}
