// Points in both forms, histories and series out, over HTTP.

import MartletModel
import MartletSeries
import Testing

@testable import MartletServer

@Suite(.serialized) struct HistoryRouteTests {
  private func lines(_ answer: HTTPAnswer) throws -> [JSONValue] {
    try answer.text.split(separator: "\n").map { try JSONValue.parse(Array($0.utf8)) }
  }

  @Test func `records of a spool mean what lines mean`() async throws {
    try await TestServer.run { server in
      let run = try await server.newRun()
      var records = SpoolRecords()
      records.info(#"{"format": 1, "names": {"loss": 0, "acc": 7}, "config": {"lr": 1}}"#)
      records.points(0, step: 10, [(0, 0.5), (7, -0.0)])
      records.add(3, sequence: 1, step: 11, Array(#"{"note": "text", "loss": NaN}"#.utf8))
      records.add(77, sequence: 2, Array("later".utf8))
      func post(_ body: [UInt8], type: String = LogRecords.mediaType) async throws -> HTTPAnswer {
        try await server.request(
          "POST", "/api/v1/runs/\(run)/log?client=client-1", token: server.token,
          headers: [("Content-Type", type)], body: body)
      }
      for expected in [2, 0] {
        let answer = try await post(records.bytes)
        #expect(answer.status == 200)
        #expect(answer.json["accepted"]?.int == Int64(expected))
        #expect(answer.json["next_seq"] == 2)
      }
      let shown = try await server.get("/api/v1/runs/\(run)").json
      #expect(shown["points"] == 3)
      // Config comes by PATCH, not with the points.
      #expect(shown["config"] == [:])
      let torn = try await post(Array(records.bytes.dropLast()))
      #expect(torn.status == 422)
      #expect(torn.json["error"]?["details"]?["offset"] != nil)
      #expect(try await post([]).status == 422)
      let wrong = try await post(records.bytes, type: "application/json")
      #expect(wrong.status == 400)
      #expect(wrong.message?.contains("application/vnd.martlet.rows") == true)
    }
  }

  @Test func `a history comes as JSON lines and as CSV`() async throws {
    try await TestServer.run { server in
      let run = try await server.newRun()
      let values: [JSONValue] = [
        ["loss": 0.5, "note": "a, \"b\""], ["loss": .double(.nan), "x,y": 2], ["acc": 1],
      ]
      let text = values.enumerated().map { index, values in
        #"{"seq": \#(index), "step": \#(index * 2), "time": \#(index), "values": \#(values.text.replacing("\"NaN\"", with: "NaN"))}"#
      }.joined(separator: "\n")
      let logged = try await server.request(
        "POST", "/api/v1/runs/\(run)/log?client=client-1", token: server.token,
        headers: [("Content-Type", "application/x-ndjson")], body: Array(text.utf8))
      #expect(logged.status == 200)
      let whole = try await server.get("/api/v1/runs/\(run)/history")
      #expect(whole.headers["content-type"] == "application/x-ndjson")
      #expect(whole.headers["martlet-next"] == nil)
      let rows = try lines(whole)
      #expect(rows.map { $0["row"] } == [0, 1, 2])
      #expect(rows.map { $0["step"] } == [0, 2, 4])
      #expect(rows.map { $0["time"] } == [0, 1, 2])
      #expect(rows[0]["values"] == ["loss": 0.5, "note": "a, \"b\""])
      #expect(rows[1]["values"]?["loss"]?.double?.isNaN == true)
      let csv = try await server.get("/api/v1/runs/\(run)/history?format=csv")
      #expect(csv.headers["content-type"] == "text/csv; charset=utf-8")
      #expect(
        csv.text.split(separator: "\r\n").prefix(2) == [
          #"row,step,time,acc,loss,note,"x,y""#, #"0,0,0,,0.5,"a, ""b""","#,
        ])
      #expect(csv.text.split(separator: "\r\n").dropFirst(2) == ["1,2,1,,NaN,,2.0", "2,4,2,1.0,,,"])
      // Some names, some steps.
      let some = try await server.get("/api/v1/runs/\(run)/history?keys=loss,acc&from_step=1")
      #expect(try lines(some).map { $0["row"] } == [1, 2])
      let comma = try await server.get("/api/v1/runs/\(run)/history?keys=%5B%22x,y%22%5D&format=csv")
      #expect(comma.text == "row,step,time,\"x,y\"\r\n1,2,1,2.0\r\n")
      #expect(try await server.get("/api/v1/runs/\(run)/history?to_step=-1").body.isEmpty)
      for (query, status) in [
        ("limit=0", 400), ("limit=10001", 400), ("format=xml", 400), ("keys=%5B1%5D", 400), ("keys=%5B", 400),
        ("step=1", 400), ("after=x", 400),
      ] {
        #expect(try await server.get("/api/v1/runs/\(run)/history?\(query)").status == status, "\(query)")
      }
      #expect(try await server.get("/api/v1/runs/aaaaaaaa/history").status == 404)
    }
  }

  @Test func `a long history comes whole, and in pages`() async throws {
    try await TestServer.run { server in
      let run = try await server.newRun()
      for start in stride(from: 0, to: 12_000, by: 3_000) {
        try await server.log(run, from: start, (start..<(start + 3_000)).map { ["x": .int(Int64($0))] })
      }
      let whole = try lines(try await server.get("/api/v1/runs/\(run)/history"))
      #expect(whole.map { $0["values"]?["x"]?.int } == (0..<12_000).map(Int64.init))
      let pages = try await pages(of: run, server, limit: 5_000)
      #expect(pages.map(\.count) == [5_000, 5_000, 2_000])
      #expect(pages.flatMap(\.self) == (0..<12_000).map(Int64.init))
    }
  }

  /// The rows' numbers, page by page.
  private func pages(of run: PublicID, _ server: TestServer, limit: Int) async throws -> [[Int64]] {
    var pages: [[Int64]] = []
    var after = ""
    while pages.count < 20 {
      let page = try await server.get("/api/v1/runs/\(run)/history?limit=\(limit)\(after)")
      pages.append(try lines(page).compactMap { $0["row"]?.int })
      guard let next = page.headers["martlet-next"] else { break }
      after = "&after=\(next)"
    }
    return pages
  }

  @Test func `series come in binary where it is asked for`() async throws {
    try await TestServer.run { server in
      let run = try await server.newRun()
      try await server.log(
        run, (0..<100).map { ["loss": .double(1 / Double($0 + 1)), "epoch": .int($0 / 10)] })
      let body: JSONValue = ["runs": [.string(run.rawValue)], "keys": ["loss"], "ema": 0.5, "x": "epoch"]
      let json = try await server.post("/api/v1/series", body)
      let series = try #require(json.json["series"]?.array?.first)
      #expect(series["ema"]?.array?.count == 100)
      #expect(series["x"]?.array?.last == 9.0)
      let binary = try await server.request(
        "POST", "/api/v1/series", token: server.token,
        headers: [
          ("Content-Type", "application/json"),
          ("Accept", "application/json;q=0.5, \(SeriesFrame.mediaType)"),
        ], body: body.bytes())
      #expect(binary.headers["content-type"] == SeriesFrame.mediaType)
      let read = try #require(try binary.body.withUnsafeBytes { try SeriesFrame.decode($0) }.first)
      #expect(read.run == run)
      #expect(read.key == "loss")
      #expect(read.steps == Array(0..<100))
      #expect(read.averages?.count == 100)
      #expect(read.xs?.last == 9)
      for wrong: JSONValue in [["ema": 1], ["ema": -0.1], ["ema": "0.5"], ["x": 3], ["buckets": 0]] {
        let answer = try await server.post("/api/v1/series", body.merging(wrong))
        #expect(answer.status == 422, "\(wrong)")
      }
    }
  }
}
