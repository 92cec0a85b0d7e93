// A server's life: options, its files, its end.

import Foundation
import Glibc
import MartletModel
import MartletOrchestration
import MartletTestSupport
import Synchronization
import Testing
import UnixSignals

@testable import MartletServer

@Suite(.serialized) struct LifeTests {
  private func problem(_ change: (inout ServerOptions) -> Void) async -> Problem? {
    let directory = TemporaryDirectory()
    var options = ServerOptions(data: directory.path)
    change(&options)
    do {
      try await ServerLife(options: options, signals: []).run { _ in
        Issue.record("the server started")
      }
      return nil
    } catch {
      return error as? Problem
    }
  }

  @Test func `options that make no sense are refused before anything starts`() async throws {
    let open = await problem { $0.host = "0.0.0.0" }
    #expect(open?.code == .badRequest)
    #expect(open?.hint?.contains("--behind-proxy") == true)
    #expect(open?.hint?.contains("--plain-http") == true)
    let exposed = await problem { ($0.host, $0.plainHTTP, $0.openLoopback) = ("0.0.0.0", true, true) }
    #expect(exposed?.code == .badRequest)
    #expect(await problem { ($0.behindProxy, $0.openLoopback) = (true, true) }?.code == .badRequest)
    #expect(await problem { $0.port = 65_536 }?.code == .badRequest)
    #expect(await problem { $0.pool.slots = 0 }?.code == .badRequest)
    #expect(await problem { $0.logLevel = "deubg" }?.hint == "Did you mean 'debug'?")
    #expect(
      await problem { ($0.host, $0.plainHTTP) = ("203.0.113.7", true) }?.message.contains("203.0.113.7")
        == true)
  }

  @Test func `a port in use is named, with the way out`() async throws {
    try await TestServer.run { server in
      let taken = server.port
      let conflict = await problem { $0.port = taken }
      #expect(conflict?.code == .conflict)
      #expect(conflict?.message.contains("\(taken)") == true)
      #expect(conflict?.hint?.contains("--port 0") == true)
    }
  }

  @Test func `server.json tells where the server is, while it is`() async throws {
    let directory = TemporaryDirectory()
    let path = directory.path + "/server.json"
    try await TestServer.run(in: directory) { server in
      let content = try JSONValue.parse(Array(try Data(contentsOf: URL(fileURLWithPath: path))))
      #expect(content["url"]?.string == server.ready.url)
      #expect(content["pid"]?.int == Int64(getpid()))
      #expect(content["version"]?.string == martletVersion)
      #expect(content["started_at"]?.int != nil)
      var status = stat()
      #expect(stat(path, &status) == 0)
      #expect(status.st_mode & 0o777 == 0o600)
    }
    #expect(!FileManager.default.fileExists(atPath: path))
  }

  @Test func `IPv6 addresses stand in brackets`() async throws {
    #expect(authority("::1", 80) == "[::1]:80")
    #expect(authority("127.0.0.1", 80) == "127.0.0.1:80")
    var options = ServerOptions(data: "/x")
    #expect(options.warnings.isEmpty)
    (options.host, options.plainHTTP) = ("0.0.0.0", true)
    #expect(options.warnings.count == 2)
    for host in ["127.0.0.1", "127.8.9.1", "::1", "localhost", "LocalHost", "::ffff:127.0.0.1"] {
      #expect(isLoopback(host), "\(host)")
    }
    for host in ["0.0.0.0", "::", "127.0.0.1.example", "127.0.0", "10.0.0.1", "", "127.a.b.c"] {
      #expect(!isLoopback(host), "\(host)")
    }
  }

  @Test func `at its end requests are answered and sockets are told`() async throws {
    let directory = TemporaryDirectory()
    let server = try await TestServer.start(in: directory, timing: .patientToTheEnd)
    let socket = try await WebSocketClient(server, token: server.token)
    _ = try await socket.message("ready")
    // A browser's spare connection, and a request whose body is on its way.
    let spare = try Socket(port: server.port)
    let busy = try Socket(port: server.port)
    try await busy.send(
      Array(
        "POST /api/v1/runs HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(server.token)\r\nContent-Type: application/json\r\nContent-Length: 18\r\nExpect: 100-continue\r\n\r\n"
          .utf8))
    // The server has read the head once it asks for the body.
    #expect(try await readAnswer(from: busy, hasBody: false).status == 100)
    try await busy.send(Array("{\"project\"".utf8))
    #expect(try await server.post("/api/v1/shutdown", [:]).status == 202)
    #expect(try await socket.closeCode() == 1001)
    try await socket.send(opcode: 8, [0x03, 0xE9])
    #expect(try await spare.receive().isEmpty)
    try await busy.send(Array(":\"last\"}".utf8))
    let answer = try await readAnswer(from: busy)
    #expect(answer.status == 201)
    let start = ContinuousClock.now
    try await server.ended()
    #expect(ContinuousClock.now - start < .seconds(60), "a test's server is patient for 120 s")
    // What was answered is kept.
    try await TestServer.run(in: directory) { again in
      let kept = try await again.get("/api/v1/projects/last")
      #expect(kept.status == 200)
    }
  }

  @Test func `a server may open all the files that its account may`() async throws {
    var limit = rlimit()
    let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    try #require(getrlimit(resource, &limit) == 0)
    let most = min(limit.rlim_max, 16_384)
    limit.rlim_cur = min(limit.rlim_cur, most - 1)
    try #require(setrlimit(resource, &limit) == 0)
    try await TestServer.run { _ in
      #expect(getrlimit(resource, &limit) == 0)
      #expect(limit.rlim_cur == most)
    }
  }

  @Test func `a signal ends it`() async throws {
    let directory = TemporaryDirectory()
    let isReady = Mutex(false)
    let life = ServerLife(options: ServerOptions(data: directory.path), signals: [.sigusr1])
    let task = Task { try await life.run { _ in isReady.withLock { $0 = true } } }
    try await eventually("the server is ready") { isReady.withLock(\.self) }
    kill(getpid(), SIGUSR1)
    try await task.value
    #expect(!FileManager.default.fileExists(atPath: directory.path + "/server.json"))
  }

  @Test func `status and doctor tell how it is`() async throws {
    try await TestServer.run { server in
      _ = try await server.newRun()
      let status = try await server.get("/api/v1/status")
      #expect(status.json["pid"]?.int == Int64(getpid()))
      #expect(status.json["url"]?.string == server.ready.url)
      #expect(status.json["counts"]?["runs"] == 1)
      #expect(status.json["database"]?["synchronous"] == 2)
      #expect(status.json["database"]?["journal_mode"] == "wal")
      let doctor = try await server.get("/api/v1/doctor")
      let checks = try #require(doctor.json["checks"]?.array)
      #expect(checks.allSatisfy { $0["status"] != "error" }, "\(doctor.text)")
      #expect(checks.contains { $0["name"] == "synchronous" && $0["status"] == "ok" })
    }
  }
}
