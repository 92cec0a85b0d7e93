// Nothing that opens a door may stand in the log.

import Foundation
import Logging
import MartletModel
import Synchronization
import Testing

@testable import MartletServer

@Suite(.serialized) struct SecrecyTests {
  @Test func `no token and no code ever reaches the log`() async throws {
    let log = CollectedLog()
    var secrets: [String] = []
    let logger = Logger(label: "martlet") { _ in CollectingHandler(log: log) }
    let directory = TemporaryDirectory()
    try await TestServer.run(in: directory, timing: .patientToTheEnd, logger: logger) { options in
      options.logLevel = "trace"
    } _: { server in
      secrets.append(server.token)
      secrets.append(try #require(server.ready.signInURL.split(separator: "#code=").last.map(String.init)))
      secrets += try await overHTTP(server)
      secrets += try await overWebSockets(server)
      secrets += try await inAddresses(server)
      // Still alive when the server ends.
      let browser = try await server.newToken([.read])
      secrets.append(browser)
      let socket = try await WebSocketClient(server, token: browser)
      _ = try await socket.message("ready")
    }
    // The requests were logged, so the secrets had their chance.
    let lines = log.lines
    for word in ["/api/v1/me 200", "/api/v1/me 401", "/api/v1/session 200", "/api/v1/session 401", "/live"] {
      #expect(lines.contains { $0.contains(word) }, "\(word)")
    }
    #expect(secrets.count >= 15)
    for secret in secrets {
      #expect(secret.utf8.count >= 20)
      let told = lines.first { $0.contains(secret) }
      #expect(told == nil)
    }
  }

  /// Everything that takes a secret, with good ones and bad ones. Returns those that were used.
  private func overHTTP(_ server: TestServer) async throws -> [String] {
    var secrets: [String] = []
    func secret(_ name: String) -> String {
      secrets.append(name + "-" + UUID().uuidString)
      return secrets.last ?? ""
    }
    #expect(try await server.get("/api/v1/me").status == 200)
    #expect(try await server.get("/api/v1/me", token: secret("unknown")).status == 401)
    for header in ["Basic \(secret("basic"))", secret("bare"), "Bearer\t\(secret("tab"))"] {
      let answer = try await server.request("GET", "/api/v1/me", headers: [("Authorization", header)])
      #expect(answer.status == 401)
    }
    #expect(try await server.get("/api/v1/runs?token=\(secret("query"))").status == 400)
    let nowhere = try await server.request(
      "GET", "/health", token: secret("foreign"), host: "evil.example")
    #expect(nowhere.status == 403)
    let made = try await server.post("/api/v1/tokens", ["name": "ci", "scopes": ["ingest"]])
    secrets.append(try #require(made.json["token"]?.string))
    let code = try await server.post("/api/v1/session/code", [:])
    secrets.append(try #require(code.json["code"]?.string))
    let session = try await server.post("/api/v1/session", ["code": code.json["code"] ?? nil])
    #expect(session.status == 200)
    secrets.append(try #require(session.json["token"]?.string))
    #expect(try await server.post("/api/v1/session", ["code": code.json["code"] ?? nil]).status == 401)
    #expect(try await server.post("/api/v1/session", ["code": .string(secret("code"))]).status == 401)
    #expect(try await server.post("/api/v1/session", ["codes": .string(secret("typo"))]).status == 422)
    let broken = try await server.request(
      "POST", "/api/v1/session", headers: [("Content-Type", "application/json")],
      body: Array("{\"code\": \"\(secret("broken"))\"".utf8))
    #expect(broken.status == 400)
    return secrets
  }

  /// Signed addresses of files: one that opens, and one that does not.
  private func inAddresses(_ server: TestServer) async throws -> [String] {
    let run = try await server.newRun()
    let bytes = Array("a file".utf8)
    let path = "/api/v1/runs/\(run)/blobs/\(hexadecimal(SHA256.hash(bytes)))"
    let put = try await server.request(
      "PUT", path, token: server.token, headers: [("Content-Type", "application/octet-stream")], body: bytes)
    #expect(put.status == 201)
    let answer = try await server.post(path + "/address", [:])
    let signed = try #require(answer.json["url"]?.string?.split(separator: "/").last.map(String.init))
    #expect(try await server.request("GET", "/api/v1/blobs/\(signed)").status == 200)
    #expect(try await server.request("GET", "/api/v1/blobs/\(signed)x").status == 404)
    return [signed]
  }

  private func overWebSockets(_ server: TestServer) async throws -> [String] {
    let (header, message) = (try await server.newToken([.read]), try await server.newToken([.read]))
    let (unknown, wrong, typo) = (UUID().uuidString, UUID().uuidString, UUID().uuidString)
    _ = try await WebSocketClient(server, token: header).message("ready")
    let socket = try await WebSocketClient(server)
    try await socket.send(["type": "auth", "token": .string(message)])
    _ = try await socket.message("ready")
    #expect(try await WebSocketClient(server, token: unknown).closeCode() == 4401)
    let refused = try await WebSocketClient(server)
    try await refused.send(["type": "auth", "token": .string(wrong)])
    #expect(try await refused.closeCode() == 4401)
    let unreadable = try await WebSocketClient(server)
    try await unreadable.send(["type": "auth", "token": [.string(typo)]])
    #expect(try await unreadable.closeCode() == 4400)
    // An address is no place for a token; one that stands there is not logged either.
    let address = UUID().uuidString
    let plain = try await server.request("GET", "/api/v1/live?token=\(address)")
    #expect(plain.status == 400)
    return [header, message, unknown, wrong, typo, address]
  }
}

/// What was logged, metadata and all.
private final class CollectedLog: Sendable {
  private let collected = Mutex<[String]>([])
  var lines: [String] { collected.withLock(\.self) }
  func add(_ line: String) { collected.withLock { $0.append(line) } }
}

private struct CollectingHandler: LogHandler {
  let log: CollectedLog
  var logLevel = Logger.Level.trace
  var metadata: Logger.Metadata = [:]

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    log.add("\(event.level) \(event.message) \(metadata) \(event.metadata ?? [:])")
  }
}
