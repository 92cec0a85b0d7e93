// Names, origins, tokens, signing in.

import Foundation
import Glibc
import MartletModel
import MartletOrchestration
import MartletStore
import Testing

@testable import MartletServer

@Suite(.serialized) struct AccessTests {
  @Test(arguments: [
    ("127.0.0.1:7979", true), ("localhost", true), ("LOCALHOST:1", true), ("[::1]:7979", true),
    ("[::1]", true),
    ("evil.example", false), ("127.0.0.1.evil.example", false), ("localhost.evil.example:7979", false),
    ("", false), ("127.0.0.1:port", false), ("user@localhost", false), ("localhost/x", false),
    ("[::1", false),
    ("192.168.1.4", false), ("127.0.0.2", false),
  ]) func `only this machine's own names are answered`(host: String, isOwn: Bool) {
    let check = HostCheck(boundTo: "127.0.0.1", allowedHosts: [])
    #expect(passes { try check.check(hosts: [host], origins: [], localAddress: "127.0.0.1") } == isOwn)
  }

  @Test func `allowed and bound names are answered too`() {
    let check = HostCheck(boundTo: "10.0.0.7", allowedHosts: ["Lab.example"])
    for host in ["lab.example", "LAB.example:443", "10.0.0.7:7979", "localhost"] {
      #expect(passes { try check.check(hosts: [host], origins: [], localAddress: "10.0.0.7") })
    }
    #expect(!passes { try check.check(hosts: ["localhost", "localhost"], origins: [], localAddress: nil) })
    #expect(!passes { try check.check(hosts: [], origins: [], localAddress: nil) })
    let everywhere = HostCheck(boundTo: "0.0.0.0", allowedHosts: [])
    #expect(passes { try everywhere.check(hosts: ["10.0.0.7:80"], origins: [], localAddress: "10.0.0.7") })
    #expect(!passes { try everywhere.check(hosts: ["10.0.0.8:80"], origins: [], localAddress: "10.0.0.7") })
    #expect(!passes { try everywhere.check(hosts: ["0.0.0.0"], origins: [], localAddress: "10.0.0.7") })
  }

  @Test(arguments: [
    ("http://localhost:7979", "localhost:7979", true), ("http://[::1]:7979", "[::1]:7979", true),
    ("http://localhost:9000", "localhost:7979", false), ("http://127.0.0.1:7979", "localhost:7979", false),
    ("https://lab.example", "localhost:7979", true), ("https://evil.example", "localhost:7979", false),
    ("null", "localhost:7979", false), ("file://", "localhost:7979", false),
    ("http://localhost", "localhost:80", true),
  ]) func `pages of other origins are refused`(origin: String, host: String, isOwn: Bool) {
    let check = HostCheck(boundTo: "127.0.0.1", allowedHosts: ["lab.example"])
    #expect(passes { try check.check(hosts: [host], origins: [origin], localAddress: nil) } == isOwn)
  }

  @Test func `foreign names get nothing over HTTP, whatever the path and token`() async throws {
    try await TestServer.run { server in
      for path in ["/", "/health", "/api/v1/version", "/api/v1/me", "/api/v1/live", "/nothing"] {
        let rebound = try await server.request("GET", path, token: server.token, host: "evil.example")
        #expect(rebound.status == 403, "\(path)")
        #expect(rebound.hint?.contains("--allowed-host evil.example") == true)
        let crossOrigin = try await server.request(
          "GET", path, token: server.token, headers: [("Origin", "http://evil.example")])
        #expect(crossOrigin.status == 403, "\(path)")
      }
      let twice = try await server.exchange(
        Array(
          "GET /health HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n".utf8))
      #expect(twice.status == 400)
      let none = try await server.exchange(Array("GET /health HTTP/1.1\r\nConnection: close\r\n\r\n".utf8))
      #expect(none.status == 400)
      // Port forwarding changes the port, and nothing else.
      #expect(try await server.request("GET", "/health", host: "localhost:1").status == 200)
    }
  }

  @Test func `a sign-in link works once`() async throws {
    try await TestServer.run { server in
      let code = try #require(server.ready.signInURL.split(separator: "#code=").last.map(String.init))
      #expect(server.ready.signInURL.hasPrefix("http://127.0.0.1:\(server.port)/#code="))
      let signIn: JSONValue = ["code": .string(code), "name": "firefox"]
      let first = try await server.request(
        "POST", "/api/v1/session", headers: [("Content-Type", "application/json")], body: signIn.bytes())
      #expect(first.status == 200)
      #expect(first.json["scopes"] == ["run"])
      let token = try #require(first.json["token"]?.string)
      #expect(token.utf8.count >= 40)
      let me = try await server.get("/api/v1/me", token: token)
      #expect(me.json["principal"] == "firefox")
      #expect(me.json["scopes"] == ["read", "ingest", "write", "run"])
      #expect(try await server.get("/api/v1/tokens", token: token).status == 403)
      let second = try await server.post("/api/v1/session", ["code": .string(code)])
      #expect(second.status == 401)
      #expect(second.hint?.contains("martlet status --link") == true)
      let fresh = try await server.post("/api/v1/session/code", [:])
      let url = try #require(fresh.json["url"]?.string)
      #expect(url == "http://127.0.0.1:\(server.port)/#code=\(fresh.json["code"]?.string ?? "")")
    }
  }

  @Test func `a sign-in link is good for ten minutes, a browser's token for ninety days`() async throws {
    let clock = MovableClock()
    try await TestServer.run(clock: clock) { server in
      let old = try await server.post("/api/v1/session/code", [:]).json["code"] ?? nil
      clock.advance(by: 601)
      #expect(try await server.post("/api/v1/session", ["code": old]).status == 401)
      let code = try await server.post("/api/v1/session/code", [:]).json["code"] ?? nil
      clock.advance(by: 599)
      let session = try await server.post("/api/v1/session", ["code": code])
      #expect(session.status == 200)
      let token = try #require(session.json["token"]?.string)
      #expect(session.json["expires_at"]?.int == (clock.now + 90 * 86_400).microseconds)
      clock.advance(by: 90 * 86_400 - 10)
      #expect(try await server.get("/api/v1/me", token: token).status == 200)
      clock.advance(by: 20)
      #expect(try await server.get("/api/v1/me", token: token).status == 401)
    }
  }

  @Test func `guessing codes is slowed down`() async throws {
    let clock = MovableClock()
    try await TestServer.run(clock: clock) { server in
      let code = try await server.post("/api/v1/session/code", [:]).json["code"] ?? nil
      for _ in 0..<10 {
        #expect(try await server.post("/api/v1/session", ["code": "guess"]).status == 401)
      }
      let limited = try await server.post("/api/v1/session", ["code": code])
      #expect(limited.status == 429)
      #expect(limited.code == "tooManyRequests")
      #expect(limited.headers["retry-after"].flatMap { Int($0) } == 60)
      clock.advance(by: 61)
      #expect(try await server.post("/api/v1/session", ["code": code]).status == 200)
    }
  }

  @Test func `tokens are made, listed without secrets, and revoked at once`() async throws {
    try await TestServer.run(timing: .patientToTheEnd) { server in
      let made = try await server.post(
        "/api/v1/tokens", ["name": "ci", "scopes": ["ingest"], "expires_in_s": 3600])
      #expect(made.status == 201)
      let (token, id) = (try #require(made.json["token"]?.string), try #require(made.json["id"]?.string))
      #expect(token.utf8.count >= 40)
      let local = try server.engine.localPrincipal.name
      #expect(made.json["created_by"]?.string == local)
      let list = try await server.get("/api/v1/tokens")
      #expect(list.json["items"]?.array?.contains { $0["id"]?.string == id } == true)
      #expect(!list.text.contains(token))
      #expect(try await server.get("/api/v1/me", token: token).json["scopes"] == ["ingest"])
      let live = try await server.post("/api/v1/tokens", ["name": "watcher", "scopes": ["read"]])
      let socket = try await WebSocketClient(server, token: live.json["token"]?.string)
      _ = try await socket.message("ready")
      for answer in [made, live] {
        let path = "/api/v1/tokens/\(answer.json["id"]?.string ?? "")"
        let revoked = try await server.request("DELETE", path, token: server.token)
        #expect(revoked.json["revoked_at"]?.int != nil)
      }
      #expect(try await server.get("/api/v1/me", token: token).status == 401)
      #expect(try await socket.closeCode() == 4401)
      #expect(
        try await server.request("DELETE", "/api/v1/tokens/aaaaaaaa", token: server.token).status == 404)
      for wrong: JSONValue in [
        ["name": "", "scopes": ["read"]], ["name": "x", "scopes": []], ["name": "x", "scopes": ["root"]],
        ["name": "x"], ["name": "x", "scopes": ["read"], "expires_in_s": -1],
        ["name": "x", "scopes": ["admin"], "project": "digits"],
      ] {
        #expect(try await server.post("/api/v1/tokens", wrong).status == 422, "\(wrong.text)")
      }
    }
  }

  @Test func `an open loopback asks nobody, but what a proxy passes on is not from here`() async throws {
    try await TestServer.run { options in
      options.openLoopback = true
    } _: { server in
      let me = try await server.request("GET", "/api/v1/me")
      #expect(me.status == 200)
      #expect(me.json["token"]?.isNull == true)
      let local = try server.engine.localPrincipal.name
      #expect(me.json["principal"]?.string == local)
      for name in ["X-Forwarded-For", "Forwarded", "Via", "X-Real-IP"] {
        #expect(try await server.request("GET", "/api/v1/me", headers: [(name, "127.0.0.1")]).status == 401)
      }
      #expect(try await server.request("GET", "/api/v1/me", token: "wrong").status == 401)
      #expect(
        try await server.request("GET", "/api/v1/me", headers: [("Origin", "http://localhost:1")]).status
          == 403)
      let socket = try await WebSocketClient(server)
      #expect(try await socket.message("ready")["principal"]?.string == local)
      await #expect(throws: WebSocketClient.UpgradeRefused.self) {
        try await WebSocketClient(server, head: [("Origin", "http://localhost:1")])
      }
    }
  }

  @Test func `the local token's file is private, and made again when it is gone`() async throws {
    let directory = TemporaryDirectory()
    let first = try await TestServer.start(in: directory)
    var status = stat()
    #expect(stat(directory.path + "/token", &status) == 0)
    #expect(status.st_mode & 0o777 == 0o600)
    #expect(first.token.utf8.count >= 43)
    try await first.stop()
    // It stays the same as long as nobody touches it.
    let second = try await TestServer.start(in: directory)
    #expect(second.token == first.token)
    try await second.stop()
    #expect(unlink(directory.path + "/token") == 0)
    let third = try await TestServer.start(in: directory)
    #expect(third.token != first.token)
    #expect(try await third.get("/api/v1/me", token: first.token).status == 401)
    #expect(try await third.get("/api/v1/me").json["scopes"]?.array?.contains("admin") == true)
    try await third.stop()
    // A file that others could read gives its token away: it is worth nothing any more.
    #expect(chmod(directory.path + "/token", 0o644) == 0)
    let fourth = try await TestServer.start(in: directory)
    #expect(fourth.token != third.token)
    #expect(try await fourth.get("/api/v1/me", token: third.token).status == 401)
    try await fourth.stop()
  }

  @Test func `a link in the token's place is replaced, not followed`() async throws {
    let directory = TemporaryDirectory()
    try FileManager.default.createDirectory(atPath: directory.path, withIntermediateDirectories: true)
    let target = directory.path + "/elsewhere"
    try "precious".write(toFile: target, atomically: false, encoding: .utf8)
    #expect(symlink(target, directory.path + "/token") == 0)
    let server = try await TestServer.start(in: directory)
    #expect(try String(contentsOfFile: target, encoding: .utf8) == "precious")
    #expect(try await server.get("/api/v1/me").status == 200)
    try await server.stop()
  }

  @Test func `attempts are counted by address, over a minute`() {
    var limit = AttemptLimit()
    let start = Timestamp(microseconds: 1_000_000_000)
    for second in 0..<10 {
      #expect(limit.wait(for: "a", now: start + Double(second)) == nil)
      limit.noteFailure(of: "a", now: start + Double(second))
    }
    #expect(limit.wait(for: "a", now: start + 10) == 50)
    #expect(limit.wait(for: "b", now: start + 10) == nil)
    #expect(limit.wait(for: "a", now: start + 60) == nil)
  }

  private func passes(_ body: () throws -> Void) -> Bool {
    do {
      try body()
      return true
    } catch {
      return false
    }
  }
}
