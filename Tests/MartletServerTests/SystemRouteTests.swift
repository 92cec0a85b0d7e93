// System metrics and output of runs from outside, over HTTP and the live feed.

import MartletModel
import MartletOrchestration
import Testing

@testable import MartletServer

@Suite(.serialized) struct SystemRouteTests {
  @Test func `samples come in, and out as series`() async throws {
    try await TestServer.run { server in
      let run = try await server.newRun()
      func post(_ text: String, query: String = "?client=sampler-1") async throws -> HTTPAnswer {
        try await server.request(
          "POST", "/api/v1/runs/\(run)/system\(query)", token: server.token,
          headers: [("Content-Type", "application/x-ndjson")], body: Array(text.utf8))
      }
      #expect(
        try await server.get("/api/v1/runs/\(run)/system").json == ["metrics": [], "from": nil, "to": nil])
      let taken = try await post(#"{"seq": 0, "time": 1790000000000000, "values": {"cpu": 12.5}}"#)
      #expect(taken.status == 200)
      #expect(taken.json == ["accepted": 1, "duplicates": 0, "next_seq": 1])
      #expect(try await post(#"{"seq": 0, "time": 1, "values": {"cpu": []}}"#).status == 422)
      #expect(try await post("", query: "").status == 422)
      let shown = try await server.get("/api/v1/runs/\(run)/system").json
      #expect(shown["metrics"]?.array?.first?["name"] == "cpu")
      let series = try await server.post(
        "/api/v1/series", ["runs": [.string(run.rawValue)], "system": true]
      ).json["series"]?.array
      #expect(series?.first?["steps"] == [1_790_000_000_000])
      #expect(series?.first?["values"] == [12.5])
      let logged = try await server.post("/api/v1/series", ["runs": [.string(run.rawValue)]])
      #expect(logged.json["series"] == [])
    }
  }

  @Test func `output comes in by its offset`() async throws {
    try await TestServer.run { server in
      let run = try await server.newRun()
      func post(_ text: String, _ query: String, type: String = "application/octet-stream") async throws
        -> HTTPAnswer
      {
        try await server.request(
          "POST", "/api/v1/runs/\(run)/logs?\(query)", token: server.token,
          headers: [("Content-Type", type)], body: Array(text.utf8))
      }
      let first = try await post("one\n", "client=client-1&stream=stderr&offset=0&time=1790000000000000")
      #expect(first.status == 200)
      #expect(first.json == ["size": 4, "accepted": 4])
      let gap = try await post("x", "client=client-1&stream=stderr&offset=9")
      #expect(gap.status == 409)
      #expect(gap.json["error"]?["details"] == ["size": 4])
      for query in ["client=client-1", "client=client-1&offset=-1", "client=client-1&offset=x"] {
        #expect(try await post("x", query).status == 400, "\(query)")
      }
      #expect(try await post("x", "offset=0").status == 422)
      #expect(try await post("x", "client=client-1&offset=0", type: "text/plain").status == 400)
      let large = String(repeating: "x", count: 4 << 20 | 1)
      #expect(try await post(large, "client=client-1&offset=0").status == 413)
      let piece = try await server.get("/api/v1/runs/\(run)/logs?stream=stderr").json
      #expect(piece["text"] == "one\n")
      #expect(piece["attempt"] == 1)
    }
  }

  @Test func `lines, matches and parts of a log`() async throws {
    try await TestServer.run { server in
      let run = try await server.newRun()
      let path = "/api/v1/runs/\(run)/logs"
      #expect(
        try await server.get("\(path)/lines").json == [
          "attempt": 0, "attempts": 0, "total": 0, "settled": 0, "ended": true, "items": [],
        ])
      for (offset, text) in [(0, "start\n 5%\r10%\r"), (14, "\u{1B}[31merror\u{1B}[0m: no\n")] {
        let sent = try await server.request(
          "POST", "\(path)?client=client-1&offset=\(offset)&time=\(1_790_000_000_000_000 + offset)",
          token: server.token, headers: [("Content-Type", "application/octet-stream")],
          body: Array(text.utf8))
        #expect(sent.status == 200)
      }
      let page = try await server.get("\(path)/lines?stream=stdout").json
      #expect(page["total"] == 2)
      #expect(page["settled"] == 2)
      #expect(
        page["items"]?.array?.last == [
          "n": 1, "at": 1_790_000_000_000_014, "stream": "stdout", "text": "\u{1B}[31merror\u{1B}[0m: no",
        ])
      #expect(try await server.get("\(path)/lines?from=-1&count=1").json["items"]?.array?.count == 1)
      let found = try await server.get("\(path)/search?text=Error").json
      #expect(found["count"] == 1)
      #expect(found["complete"] == true)
      #expect(found["next"] == .null)
      #expect(found["items"]?.array?.first?["ranges"] == [[0, 5]])
      #expect(found["items"]?.array?.first?["text"] == "error: no")
      #expect(try await server.get("\(path)/search?text=Error&case=true").json["count"] == 0)
      for wrong in ["lines?count=5001", "lines?stream=both", "search", "search?text=", "search?text=a%0Ab"] {
        #expect(try await server.get("\(path)/\(wrong)").status == 400, "\(wrong)")
      }
      #expect(try await server.get("\(path)/lines?attempt=2").status == 404)
      func part(_ range: String) async throws -> HTTPAnswer {
        try await server.request(
          "GET", "\(path)/download", token: server.token, headers: [("Range", range)], body: nil)
      }
      let some = try await part("bytes=0-4")
      #expect((some.status, some.text) == (206, "start"))
      #expect(some.headers["content-range"] == "bytes 0-4/33")
      #expect(try await part("bytes=-3").text == "no\n")
      #expect(try await part("bytes=33-").status == 416)
      #expect(try await server.get("\(path)/download").text.utf8.count == 33)
    }
  }

  @Test func `samples are on the live feed, apart from points`() async throws {
    try await TestServer.run { server in
      let run = try await server.newRun()
      let socket = try await WebSocketClient(server, token: server.token)
      try await socket.send([
        "type": "subscribe", "id": 1, "topic": "points", "runs": [.string(run.rawValue)], "system": true,
      ])
      try await socket.send([
        "type": "subscribe", "id": 2, "topic": "points", "runs": [.string(run.rawValue)],
      ])
      for id in [1, 2] {
        let answer = try await socket.message("subscribed")
        #expect(answer["id"]?.int == Int64(id))
      }
      let taken = try await server.request(
        "POST", "/api/v1/runs/\(run)/system?client=sampler-1", token: server.token,
        headers: [("Content-Type", "application/x-ndjson")],
        body: Array(#"{"seq": 0, "time": 1790000000000000, "values": {"cpu": 12.5}}"#.utf8))
      #expect(taken.status == 200)
      let names = try await socket.message("names")
      #expect(names["id"] == 1)
      #expect(names["keys"] == ["0": "cpu"])
      try await server.log(run, [["loss": 1]])
      let others = try await socket.message("names")
      #expect(others["id"] == 2)
      #expect(others["keys"] == ["0": "loss"])
    }
  }

  @Test func `the doctor says whether runs are sampled`() async throws {
    try await TestServer.run { server in
      let checks = try await server.get("/api/v1/doctor").json["checks"]?.array ?? []
      let check = checks.first { $0["name"] == "system metrics" }
      #expect(check?["message"]?.string?.hasPrefix("What runs use is sampled every 5 s") == true)
    }
    func never(_ options: inout ServerOptions) { options.sampleEvery = 0 }
    try await TestServer.run(never) { server in
      let checks = try await server.get("/api/v1/doctor").json["checks"]?.array ?? []
      let check = checks.first { $0["name"] == "system metrics" }
      #expect(check?["status"] == "warning")
    }
    _ = try #require(throws: Problem.self) {
      var options = ServerOptions(data: TemporaryDirectory().path)
      options.sampleEvery = 0.01
      _ = try options.check()
    }
  }
}
