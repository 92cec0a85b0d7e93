// What requests bring: bodies, parameters, and what is wrong with them.

import MartletModel
import MartletTracking
import Testing

@testable import MartletServer

@Suite(.serialized) struct RequestTests {
  @Test func `a run is begun, logged to, read and ended`() async throws {
    try await TestServer.run { server in
      let created = try await server.post(
        "/api/v1/runs",
        ["project": "digits", "name": "first", "config": ["lr": 1e-3, "layers": 2], "tags": ["a"]])
      #expect(created.status == 201)
      #expect(created.json["state"] == "running")
      #expect(created.json["config"] == ["lr": 1e-3, "layers": 2])
      let id = try #require(created.json["id"]?.string.flatMap(PublicID.init(rawValue:)))
      try await server.log(id, [["loss": 2.5], ["loss": 1.25, "note": "text"]])
      let series = try await server.post(
        "/api/v1/series", ["runs": [.string(id.rawValue)], "keys": ["loss"]])
      #expect(series.json["series"]?.array?.first?["values"] == [2.5, 1.25])
      #expect(series.json["series"]?.array?.first?["steps"] == [0, 1])
      let patched = try await server.send(
        "PATCH", "/api/v1/runs/\(id)", ["notes": "hm", "config": ["lr": 2]])
      #expect(patched.json["notes"] == "hm")
      #expect(patched.json["config"] == ["lr": 2, "layers": 2])
      #expect(try await server.post("/api/v1/runs/\(id)/heartbeat", [:]).json["stop_requested"] == false)
      #expect(
        try await server.post("/api/v1/runs/\(id)/finish", ["exit_code": 0]).json["state"] == "finished")
      #expect(try await server.get("/api/v1/projects/digits").json["name"] == "digits")
      #expect(try await server.get("/api/v1/runs?project=digits&search=fir").json["items"]?.array?.count == 1)
    }
  }

  /// Each of these once ended the server.
  @Test func `numbers at the ends of their range are answered`() async throws {
    try await TestServer.run { server in
      let run = try await server.newRun()
      let path = "/api/v1/runs/\(run)"
      let lines: [(String, String)] = [("Content-Type", "application/x-ndjson")]
      let ends = [Int64.min, -1, 0, Int64.max]
      let said = try await server.request(
        "POST", path + "/logs?client=client-1&stream=stdout&offset=0&time=1", token: server.token,
        headers: [("Content-Type", "application/octet-stream")], body: Array("one\ntwo\n".utf8))
      #expect(said.status == 200, "\(said.message ?? "")")
      for (index, end) in ends.enumerated() {
        let row = #"{"seq": \#(index), "time": \#(end), "values": {"cpu": 1}}"#
        let sample = try await server.request(
          "POST", path + "/system?client=client-1", token: server.token, headers: lines,
          body: Array((row + "\n").utf8))
        #expect(sample.status == 200, "\(end): \(sample.message ?? "")")
        for (address, isFine) in [
          ("\(path)/logs/lines?from=\(end)", true), ("\(path)/logs?offset=\(end)", true),
          ("\(path)/logs/search?text=o&after=\(end)", end >= 0 && end < .max),
          ("/api/v1/runs?q=started%3E\(end)", false), ("/api/v1/filter?q=lr&at=\(end)", end >= 0),
          ("\(path)/history?from_step=\(end)&to_step=\(end)", true),
        ] {
          let answer = try await server.get(address)
          #expect(isFine ? answer.status == 200 : answer.status < 500, "\(address): \(answer.message ?? "")")
        }
        let series = try await server.post(
          "/api/v1/series",
          [
            "runs": .array([.string(run.rawValue)]), "system": true, "from_step": .int(end),
            "to_step": .int(end),
          ])
        #expect(series.status == 200, "\(end): \(series.message ?? "")")
      }
      #expect(try await server.get(path + "/system").status == 200)
      #expect(try await server.get("/health").status == 200)
    }
  }

  @Test func `unknown and wrong parameters are named`() async throws {
    try await TestServer.run { server in
      let typo = try await server.get("/api/v1/runs?projekt=digits")
      #expect(typo.status == 400)
      #expect(typo.message == "There is no parameter 'projekt' here.")
      #expect(typo.hint == "Did you mean 'project'?")
      for (query, words) in [
        ("limit=0", "1 to 1000"), ("limit=1001", "1 to 1000"), ("limit=many", "whole number"),
        ("limit=1&limit=2", "given twice"), ("state=runing", "'runing'"), ("sort=loss", "'loss'"),
        ("search=%FF", "UTF-8"), ("search=%zz", "UTF-8"), ("sweep=no", "'sweep'"),
      ] {
        let answer = try await server.get("/api/v1/runs?\(query)")
        #expect(answer.status == 400, "\(query)")
        #expect(answer.code == "badRequest")
        #expect(answer.message?.contains(words) == true, "\(query): \(answer.message ?? "")")
      }
      #expect(try await server.get("/api/v1/runs?state=runing").hint == "Did you mean 'running'?")
      #expect(try await server.get("/api/v1/version?x=1").status == 400)
      #expect(
        try await server.get("/api/v1/runs?state=running,finished&sort=-metric:val/loss.min&limit=1").status
          == 200)
    }
  }

  @Test func `bodies that are no JSON, or the wrong JSON, are explained`() async throws {
    try await TestServer.run { server in
      let json = [("Content-Type", "application/json")]
      let broken = try await server.request(
        "POST", "/api/v1/runs", token: server.token, headers: json, body: Array("{\n  \"project\" 1}".utf8))
      #expect(broken.status == 400)
      #expect(broken.json["error"]?["details"] == ["line": 2, "column": 13])
      let wrong = try await server.post("/api/v1/runs", ["project": 7])
      #expect(wrong.status == 422)
      #expect(wrong.message == "'project' must be a string, not a whole number.")
      #expect(wrong.json["error"]?["details"]?["key"] == "project")
      let unknown = try await server.post("/api/v1/runs", ["project": "p", "nmae": "x"])
      #expect(unknown.status == 422)
      #expect(unknown.message?.contains("did you mean 'name'") == true)
      let empty = try await server.request(
        "POST", "/api/v1/runs", token: server.token, headers: json, body: [])
      #expect(empty.status == 400)
      let deep = try await server.request(
        "POST", "/api/v1/runs", token: server.token, headers: json,
        body: Array(String(repeating: "[", count: 100_000).utf8))
      #expect(deep.status == 400)
    }
  }

  @Test func `a body must say that it is JSON, as no form can`() async throws {
    try await TestServer.run { server in
      let body = Array("{\"project\":\"p\"}".utf8)
      for type in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
        let answer = try await server.request(
          "POST", "/api/v1/runs", token: server.token, headers: [("Content-Type", type)], body: body)
        #expect(answer.status == 400, "\(type)")
        #expect(answer.hint?.contains("application/json") == true)
      }
      #expect(try await server.request("POST", "/api/v1/runs", token: server.token, body: body).status == 400)
      let charset = [("Content-Type", "Application/JSON; charset=utf-8")]
      #expect(
        try await server.request("POST", "/api/v1/runs", token: server.token, headers: charset, body: body)
          .status == 201)
      // Nothing to say, nothing to declare.
      #expect(try await server.request("POST", "/api/v1/session/code", token: server.token).status == 200)
    }
  }

  @Test func `bodies beyond the limit are refused, announced or not`() async throws {
    try await TestServer.run { server in
      let large = [UInt8](repeating: UInt8(ascii: " "), count: 4 << 20 + 1)
      let json = [("Content-Type", "application/json")]
      let announced = try await server.exchange(
        Array(
          "POST /api/v1/runs HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(server.token)\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n"
            .utf8))
      #expect(announced.status == 413)
      let chunked =
        Array(
          "POST /api/v1/runs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer \(server.token)\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n\(String(large.count, radix: 16))\r\n"
            .utf8) + large + Array("\r\n0\r\n\r\n".utf8)
      let answer = try await server.exchange(chunked)
      #expect(answer.status == 413)
      #expect(answer.code == "tooLarge")
      #expect(
        try await server.request("POST", "/api/v1/runs", token: server.token, headers: json, body: large)
          .status == 413)
      // Points may come in larger bodies.
      let run = try await server.newRun()
      let lines = [("Content-Type", "application/x-ndjson")]
      let note = String(repeating: "n", count: 5 << 20)
      let points = try await server.request(
        "POST", "/api/v1/runs/\(run)/log?client=client-1", token: server.token, headers: lines,
        body: Array("{\"seq\":0,\"step\":0,\"time\":1,\"values\":{\"note\":\"\(note)\"}}".utf8))
      #expect(points.status == 200)
    }
  }

  @Test func `a body is asked for once its head is found good`() async throws {
    try await TestServer.run { server in
      let body = Array("{\"project\":\"digits\"}".utf8)
      func head(token: String, length: Int, version: String = "1.1") -> [UInt8] {
        let lines = [
          "POST /api/v1/runs HTTP/\(version)", "Host: localhost", "Authorization: Bearer \(token)",
          "Content-Type: application/json", "Content-Length: \(length)", "Expect: 100-Continue",
        ]
        return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
      }
      // Twice over one connection: the interim answer disturbs nothing that follows.
      let socket = try Socket(port: server.port)
      for _ in 0..<2 {
        try await socket.send(head(token: server.token, length: body.count))
        let interim = try await readAnswer(from: socket, hasBody: false)
        #expect(interim.status == 100)
        #expect(interim.headers.isEmpty)
        #expect(interim.body.isEmpty)
        try await socket.send(body)
        let answer = try await readAnswer(from: socket)
        #expect(answer.status == 201)
        #expect(answer.json["project"] == "digits")
      }
      // What is refused by its head needs no body.
      #expect(try await server.exchange(head(token: "wrong", length: body.count)).status == 401)
      #expect(try await server.exchange(head(token: server.token, length: 99_999_999)).status == 413)
      // HTTP/1.0 knows no interim answers.
      let old = try await server.exchange(
        head(token: server.token, length: body.count, version: "1.0") + body)
      #expect(old.status == 201)
    }
  }

  @Test func `names are cut at slashes before they are decoded`() async throws {
    try await TestServer.run { server in
      _ = try await server.newRun("a b/ö%")
      #expect(try await server.get("/api/v1/projects/a%20b%2F%C3%B6%25").json["name"] == "a b/ö%")
      #expect(try await server.get("/api/v1/runs?project=a+b%2F%C3%B6%25").json["items"]?.array?.count == 1)
    }
  }

  @Test func `what is no HTTP gets an answer or an end`() async throws {
    try await TestServer.run { server in
      #expect(try await server.exchange(Array("nonsense\r\n\r\n".utf8)).status == 400)
      let old = try await server.exchange(Array("GET /health HTTP/1.0\r\nHost: localhost\r\n\r\n".utf8))
      #expect(old.status == 200)
      // curl --http2 asks like this; the answer is plain HTTP/1.1.
      let h2c = try await server.request(
        "GET", "/health", headers: [("Upgrade", "h2c"), ("HTTP2-Settings", "AAMAAABkAAQAAP__")])
      #expect(h2c.status == 200)
    }
  }

  @Test func `points name their client and are counted once`() async throws {
    try await TestServer.run { server in
      let run = try await server.newRun()
      let lines = [("Content-Type", "application/x-ndjson")]
      let body = Array("{\"seq\":0,\"step\":0,\"time\":1,\"values\":{\"x\":NaN}}\n".utf8)
      for query in [
        "", "?client=short", "?client=with%20space", "?client=\(String(repeating: "a", count: 65))",
      ] {
        let answer = try await server.request(
          "POST", "/api/v1/runs/\(run)/log\(query)", token: server.token, headers: lines, body: body)
        #expect(answer.status == 422, "\(query)")
        #expect(answer.message?.contains("'client'") == true)
      }
      for expected in [1, 0] {
        let answer = try await server.request(
          "POST", "/api/v1/runs/\(run)/log?client=client-1", token: server.token, headers: lines, body: body)
        #expect(answer.json["accepted"]?.int == Int64(expected))
        #expect(answer.json["next_seq"] == 1)
      }
    }
  }
}
