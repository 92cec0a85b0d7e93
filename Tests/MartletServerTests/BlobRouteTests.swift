// Files over HTTP: put, read in whole and in parts, opened by signed addresses.

import Foundation
import MartletModel
import MartletTestSupport
import MartletTracking
import Testing

@testable import MartletServer

@Suite(.serialized) struct BlobRouteTests {
  private static let png: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A] + Array(0..<92)
  private static let bytes = [("Content-Type", "application/octet-stream")]

  private func path(_ run: PublicID, _ bytes: [UInt8]) -> String {
    "/api/v1/runs/\(run)/blobs/\(hexadecimal(SHA256.hash(bytes)))"
  }

  @discardableResult
  private func put(
    _ server: TestServer, _ run: PublicID, _ bytes: [UInt8], token: String? = nil
  ) async throws -> HTTPAnswer {
    try await server.request(
      "PUT", path(run, bytes), token: token ?? server.token, headers: Self.bytes, body: bytes)
  }

  /// The signed path of a file, without scheme and authority.
  private func sign(
    _ server: TestServer, _ run: PublicID, _ bytes: [UInt8], _ body: JSONValue = [:]
  ) async throws -> String {
    let answer = try await server.post(path(run, bytes) + "/address", body)
    #expect(answer.status == 201)
    let url = try #require(answer.json["url"]?.string)
    #expect(url.hasPrefix("http://127.0.0.1:\(server.port)/api/v1/blobs/"))
    return String(url.dropFirst("http://127.0.0.1:\(server.port)".count))
  }

  @Test func `a file is put once and read back`() async throws {
    try await TestServer.run { server in
      let (run, other) = (try await server.newRun(), try await server.newRun())
      #expect(try await server.request("HEAD", path(run, Self.png), token: server.token).status == 404)
      let first = try await put(server, run, Self.png)
      #expect(first.status == 201)
      #expect(first.json["size"] == 100)
      #expect(first.json["sha256"]?.string == hexadecimal(SHA256.hash(Self.png)))
      #expect(try await put(server, run, Self.png).status == 200)
      let whole = try await server.get(path(run, Self.png))
      #expect(whole.body == Self.png)
      #expect(whole.headers["content-type"] == "image/png")
      #expect(whole.headers["content-disposition"]?.hasPrefix("inline") == true)
      #expect(whole.headers["accept-ranges"] == "bytes")
      #expect(whole.headers["x-content-type-options"] == "nosniff")
      #expect(whole.headers["content-security-policy"]?.hasPrefix("sandbox") == true)
      let head = try await server.request("HEAD", path(run, Self.png), token: server.token)
      #expect(head.status == 200)
      #expect(head.headers["content-length"] == "100")
      // Another run has it only when it is given to it.
      #expect(try await server.get(path(other, Self.png)).status == 404)
      #expect(try await put(server, other, Self.png).status == 201)
      // Nothing at all is a file too.
      #expect(try await put(server, run, []).status == 201)
      let empty = try await server.get(path(run, []))
      #expect(empty.status == 200)
      #expect(empty.body.isEmpty)
      #expect(empty.headers["content-length"] == "0")
    }
  }

  @Test func `a file larger than any other body goes to the disk as it comes`() async throws {
    try await TestServer.run { server in
      let run = try await server.newRun()
      // Each megabyte is another one.
      let large = (0..<17).flatMap { [UInt8](repeating: UInt8($0), count: 1 << 20) }
      let place = path(run, large)
      // In chunks, without a word about its size.
      let head = [
        "PUT \(place) HTTP/1.1", "Host: localhost", "Connection: close",
        "Authorization: Bearer \(server.token)", "Content-Type: application/octet-stream",
        "Transfer-Encoding: chunked",
      ]
      var request = Array((head.joined(separator: "\r\n") + "\r\n\r\n").utf8)
      for start in stride(from: 0, to: large.count, by: 3_000_000) {
        let piece = large[start..<min(start + 3_000_000, large.count)]
        request += Array("\(String(piece.count, radix: 16))\r\n".utf8) + piece + Array("\r\n".utf8)
      }
      let answer = try await server.exchange(request + Array("0\r\n\r\n".utf8), method: "PUT")
      #expect(answer.status == 201)
      #expect(answer.json["size"]?.int == Int64(large.count))
      #expect(try await server.get(place).body == large)
      let part = try await server.get(place, headers: [("Range", "bytes=5000000-6000000")])
      #expect(part.status == 206)
      #expect(part.body == Array(large[5_000_000...6_000_000]))
    }
  }

  @Test func `what is wrong with a file is said, and nothing of it stays`() async throws {
    try await TestServer.run { server in
      let run = try await server.newRun()
      let wrong = try await server.request(
        "PUT", path(run, [1]), token: server.token, headers: Self.bytes, body: [2])
      #expect(wrong.status == 422)
      #expect(wrong.json["error"]?["details"]?["sha256"]?.string == hexadecimal(SHA256.hash([2])))
      for name in ["abc", String(repeating: "A", count: 64), "..%2F..%2Fetc%2Fpasswd"] {
        let answer = try await server.request(
          "PUT", "/api/v1/runs/\(run)/blobs/\(name)", token: server.token, headers: Self.bytes, body: [2])
        #expect(answer.status == 404, "\(name)")
      }
      #expect(try await put(server, try #require(PublicID(rawValue: "aaaaaaaa")), [1]).status == 404)
      for type in ["text/plain", "application/json", "multipart/form-data; boundary=x"] {
        let answer = try await server.request(
          "PUT", path(run, [1]), token: server.token, headers: [("Content-Type", type)], body: [1])
        #expect(answer.status == 400, "\(type)")
      }
      #expect(
        try await server.request("PUT", path(run, [1]), token: server.token, body: [1]).status == 400)
      let announced = try await server.exchange(
        Array(
          "PUT \(path(run, [1])) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer \(server.token)\r\nContent-Type: application/octet-stream\r\nContent-Length: 5368709121\r\n\r\n"
            .utf8), method: "PUT")
      #expect(announced.status == 413)
      // A client that goes away in the midst of it.
      do {
        let socket = try Socket(port: server.port)
        try await socket.send(
          Array(
            "PUT \(path(run, [1])) HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(server.token)\r\nContent-Type: application/octet-stream\r\nContent-Length: 3000000\r\n\r\n"
              .utf8) + [UInt8](repeating: 1, count: 1_500_000))
      }
      let directory = server.data + "/blobs"
      try await eventually("nothing of it is left") {
        try FileManager.default.contentsOfDirectory(atPath: directory + "/tmp").isEmpty
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == ["tmp"])
    }
  }

  @Test func `a body is asked for only where it is wanted`() async throws {
    try await TestServer.run { server in
      let run = try await server.newRun()
      func head(_ bytes: [UInt8]) -> [UInt8] {
        Array(
          "PUT \(path(run, bytes)) HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(server.token)\r\nContent-Type: application/octet-stream\r\nContent-Length: \(bytes.count)\r\nExpect: 100-continue\r\n\r\n"
            .utf8)
      }
      let socket = try Socket(port: server.port)
      try await socket.send(head(Self.png))
      #expect(try await readAnswer(from: socket, hasBody: false).status == 100)
      try await socket.send(Self.png)
      #expect(try await readAnswer(from: socket).status == 201)
      // What the run has already need not be sent.
      #expect(try await server.exchange(head(Self.png), method: "PUT").status == 200)
    }
  }

  @Test func `parts, tags and what lies behind the end`() async throws {
    try await TestServer.run { server in
      let run = try await server.newRun()
      try await put(server, run, Self.png)
      let place = path(run, Self.png)
      for (range, part) in [("bytes=0-9", 0..<10), ("bytes=-5", 95..<100), ("bytes=90-", 90..<100)] {
        let answer = try await server.get(place, headers: [("Range", range)])
        #expect(answer.status == 206)
        #expect(answer.body == Array(Self.png[part]))
        #expect(answer.headers["content-range"] == "bytes \(part.lowerBound)-\(part.upperBound - 1)/100")
        #expect(answer.headers["content-length"] == "\(part.count)")
      }
      let behind = try await server.get(place, headers: [("Range", "bytes=100-")])
      #expect(behind.status == 416)
      #expect(behind.code == "rangeNotSatisfiable")
      #expect(behind.headers["content-range"] == "bytes */100")
      let tag = try #require(try await server.get(place).headers["etag"])
      let known = try await server.get(place, headers: [("If-None-Match", tag)])
      #expect(known.status == 304)
      #expect(known.body.isEmpty)
      #expect(try await server.get(place, headers: [("If-None-Match", "\"other\"")]).status == 200)
      let same = try await server.get(place, headers: [("Range", "bytes=0-0"), ("If-Range", tag)])
      #expect(same.status == 206)
      let another = try await server.get(place, headers: [("Range", "bytes=0-0"), ("If-Range", "\"other\"")])
      #expect(another.status == 200)
      #expect(another.body == Self.png)
      // A head has the length of what it leaves out.
      let head = try await server.request(
        "HEAD", place, token: server.token, headers: [("Range", "bytes=0-9")])
      #expect(head.status == 206)
      #expect(head.headers["content-length"] == "10")
    }
  }

  @Test
  func `a page whose address was signed as one is shown without scripts, and else handed out to be saved`()
    async throws
  {
    try await TestServer.run { server in
      let run = try await server.newRun()
      let bytes = Array("<!DOCTYPE html><script>alert(1)</script>".utf8)
      try await put(server, run, bytes)
      let shown = try await server.request("GET", try await sign(server, run, bytes, ["type": "text/html"]))
      #expect(shown.status == 200)
      #expect(shown.body == bytes)
      #expect(shown.headers["content-type"] == "text/html; charset=utf-8")
      #expect(shown.headers["content-disposition"]?.hasPrefix("inline") == true)
      let policy = try #require(shown.headers["content-security-policy"])
      #expect(policy.hasPrefix("sandbox; default-src 'none'"))
      #expect(!policy.contains("allow") && !policy.contains("script-src"))
      for saved in [
        try await server.get(path(run, bytes)),
        try await server.request("GET", try await sign(server, run, bytes, [:])),
      ] {
        #expect(saved.headers["content-disposition"]?.hasPrefix("attachment") == true)
      }
    }
  }

  @Test func `a drawing or a script is handed out to be saved, whatever it says it is`() async throws {
    try await TestServer.run { server in
      let run = try await server.newRun()
      for (text, type) in [
        ("<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "image/svg+xml"),
        ("alert(1)", "text/javascript"), ("%PDF-1.7", "application/pdf"), ("a,b", "image/png"),
      ] {
        let bytes = Array(text.utf8)
        try await put(server, run, bytes)
        let signed = try await sign(server, run, bytes, ["type": .string(type), "name": "x\"; .html"])
        for answer in [try await server.get(path(run, bytes)), try await server.request("GET", signed)] {
          #expect(answer.status == 200)
          #expect(answer.body == bytes)
          #expect(answer.headers["content-disposition"]?.hasPrefix("attachment") == true, "\(type)")
          #expect(answer.headers["content-security-policy"]?.hasPrefix("sandbox; default-src 'none'") == true)
          #expect(answer.headers["x-content-type-options"] == "nosniff")
        }
      }
    }
  }

  @Test func `a signed address opens one file until its time is over`() async throws {
    let clock = MovableClock()
    try await TestServer.run(clock: clock) { server in
      let run = try await server.newRun()
      try await put(server, run, Self.png)
      let signed = try await sign(server, run, Self.png, ["name": "ü 1.png", "expires_in_s": 60])
      let opened = try await server.request("GET", signed)
      #expect(opened.status == 200)
      #expect(opened.body == Self.png)
      #expect(opened.headers["content-disposition"]?.contains("filename*=UTF-8''%c3%bc%201.png") == true)
      let part = try await server.request("GET", signed, headers: [("Range", "bytes=1-3")])
      #expect(part.body == Array(Self.png[1...3]))
      for wrong in [
        String(signed.dropLast()), signed + "A", signed.replacing("blobs/A", with: "blobs/B"),
        "/api/v1/blobs/nothing", "/api/v1/blobs/.",
      ] where wrong != signed {
        let answer = try await server.request("GET", wrong)
        #expect(answer.status == 404, "\(wrong)")
        #expect(answer.hint?.contains("fresh") == true)
      }
      clock.advance(by: 61)
      #expect(try await server.request("GET", signed).status == 404)
      // It ends with the run, too.
      let second = try await sign(server, run, Self.png)
      #expect(try await server.request("GET", second).status == 200)
      #expect(try await server.request("DELETE", "/api/v1/runs/\(run)", token: server.token).status == 200)
      #expect(try await server.request("GET", second).status == 404)
      #expect(try await server.post("/api/v1/runs/\(run)/restore", [:]).status == 200)
      #expect(try await server.request("GET", second).status == 200)
      for body: JSONValue in [
        ["expires_in_s": 0], ["expires_in_s": 86_401], ["name": ""], ["type": "html"], ["type": "a/b; c"],
        ["nme": "x"],
      ] {
        #expect(try await server.post(path(run, Self.png) + "/address", body).status == 422, "\(body)")
      }
      #expect(try await server.post(path(run, [1]) + "/address", [:]).status == 404)
    }
  }

  @Test func `an attempt's token puts and reads files of its run alone`() async throws {
    try await TestServer.run { server in
      let (own, other) = (try await server.newRun(), try await server.newRun())
      let token = try await server.newToken([.read, .ingest], run: own)
      #expect(try await put(server, own, Self.png, token: token).status == 201)
      try await put(server, other, [1, 2, 3])
      #expect(try await put(server, other, Self.png, token: token).status == 404)
      #expect(try await server.get(path(other, [1, 2, 3]), token: token).status == 404)
      #expect(
        try await server.post(path(other, [1, 2, 3]) + "/address", [:], token: token).status == 404)
      // That the server has these bytes tells the token nothing: they must come whole.
      let wrong = try await server.request(
        "PUT", path(own, [1, 2, 3]), token: token, headers: Self.bytes, body: [])
      #expect(wrong.status == 422)
      #expect(try await put(server, own, [1, 2, 3], token: token).status == 201)
    }
  }
}
