// Derived metrics over HTTP: defined, refused with a place, read as any other metric.

import MartletModel
import MartletTestSupport
import Testing

@testable import MartletServer

@Suite(.serialized) struct DerivedRouteTests {
  @Test func `a derived metric is defined, charted, summed up and taken away`() async throws {
    try await TestServer.run { server in
      let run = try await server.newRun()
      let project = try #require(try await server.get("/api/v1/runs/\(run)").json["project"]?.string)
      try await server.log(
        run, from: 0, (0..<5).map { ["val/loss": .int(Int64($0 + 2)), "train/loss": .int(Int64($0))] })
      let path = "/api/v1/projects/\(project)/derived"
      func put(_ body: JSONValue) async throws -> HTTPAnswer {
        try await server.request(
          "PUT", path, token: server.token, headers: [("Content-Type", "application/json")],
          body: Array(body.text.utf8))
      }
      let made = try await put([
        "name": "gap", "expression": "val/loss - train/loss", "goal": "minimize", "description": "over",
      ])
      #expect(made.status == 201)
      #expect(made.json["name"] == "gap")
      #expect(made.json["notes"] == [])
      #expect(try await put(["name": "gap", "expression": "val/loss - train/loss * 2"]).status == 200)
      let list = try await server.get(path)
      #expect(list.json["items"]?.array?.count == 1)
      #expect(list.json["items"]?.array?.first?["expression"] == "val/loss - train/loss * 2")
      #expect(list.json["items"]?.array?.first?["goal"] == .null)

      let series = try await server.post(
        "/api/v1/series", ["runs": [.string(run.rawValue)], "keys": ["gap", "val/loss"], "buckets": 100])
      #expect(series.json["series"]?.array?.map { $0["key"] } == ["gap", "val/loss"])
      #expect(
        series.json["series"]?.array?.first?["values"]?.array?.compactMap(\.double) == [2, 1, 0, -1, -2])
      try await eventually("the run shows it") {
        let summary = try await server.get("/api/v1/runs/\(run)").json["summary"]?["gap"]
        return summary?["derived"] == true && summary?["min"]?.double == -2 && summary?["count"] == 5
      }
      #expect(try await server.get("/api/v1/runs/\(run)").json["summary"]?["val/loss"]?["derived"] == nil)

      // Histories hold what was logged.
      let history = try await server.get("/api/v1/runs/\(run)/history?format=csv&limit=1")
      #expect(history.text.hasPrefix("row,step,time,train/loss,val/loss\r\n"))

      for (body, from, to) in [
        ("val/loss -", 10, 10), ("nope(val/loss)", 0, 4), ("a b", 2, 3),
      ] {
        let wrong = try await put(["name": "x", "expression": .string(body)])
        #expect(wrong.status == 422)
        #expect(wrong.json["error"]?["details"]?["from"]?.int == Int64(from), "\(wrong.text)")
        #expect(wrong.json["error"]?["details"]?["to"]?.int == Int64(to))
      }
      for (body, status) in [
        (["name": "val/loss", "expression": "gap + 1"], 409), (["name": "x", "expression": "x + 1"], 422),
        (["name": "step", "expression": "gap"], 422), (["name": "", "expression": "gap"], 422),
        (["name": "x"], 422), (["name": "x", "expression": "gap", "goal": "up"], 422),
        (["name": "x", "expression": 1], 422), (["name": "x", "expression": "gap", "more": 1], 422),
      ] as [(JSONValue, Int)] {
        #expect(try await put(body).status == status, "\(body)")
      }
      let typed = try await put(["name": "x", "expression": "val/los * 2"])
      #expect(typed.json["notes"]?.array?.first?.string?.contains("'val/loss'") == true)

      // It is computed some time after a trial has ended: too late for what the trial counts as.
      let priced = try await server.post(
        "/api/v1/sweep-plan",
        [
          "workdir": "/tmp", "project": .string(project),
          "source": """
          method: grid
          command: ["true"]
          metric: {name: loss}
          parameters: {x: {values: [1]}}
          constraints: [{metric: gap, max: 1, weight: 2}]
          """,
        ])
      #expect(priced.status == 422)
      #expect(priced.message?.contains("'gap' is derived") == true)

      func remove(_ name: String) async throws -> HTTPAnswer {
        try await server.request("DELETE", "\(path)?name=\(name)", token: server.token)
      }
      #expect(try await remove("gpa").message?.contains("gpa") == true)
      #expect(try await remove("gpa").status == 404)
      #expect(try await remove("x").json["items"]?.array?.map { $0["name"] } == ["gap"])
      #expect(try await remove("gap").status == 200)
      #expect(try await server.get("/api/v1/runs/\(run)").json["summary"]?["gap"] == nil)
      #expect(try await server.get("/api/v1/projects/nowhere/derived").status == 404)
    }
  }

  @Test func `runs are found, sorted and grouped by what is derived`() async throws {
    try await TestServer.run { server in
      var runs: [String] = []
      for number in 0..<4 {
        let run = try await server.newRun("digits", name: "run-\(number)")
        try await server.log(run, from: 0, [["a": .int(Int64(10 - number)), "b": .int(Int64(2 * number))]])
        runs.append(run.rawValue)
      }
      // One without a point of it.
      _ = try await server.newRun("digits", name: "empty")
      let made = try await server.request(
        "PUT", "/api/v1/projects/digits/derived", token: server.token,
        headers: [("Content-Type", "application/json")],
        body: Array(#"{"name": "gap", "expression": "a - b", "goal": "minimize"}"#.utf8))
      #expect(made.status == 201)
      func found(_ query: String) async throws -> [String] {
        let answer = try await server.get("/api/v1/runs?project=digits&\(query)")
        #expect(answer.status == 200, "\(answer.text)")
        return (answer.json["items"]?.array ?? []).compactMap { $0["id"]?.string }
      }
      // The gaps are 10, 7, 4 and 1.
      try await eventually("all are derived") {
        try await found("q=gap%20exists").count == 4
      }
      #expect(Set(try await found("q=gap.min%3C5")) == Set(runs[2...]))
      #expect(try await found("q=gap%3E1&sort=gap") == [runs[2], runs[1], runs[0]])
      #expect(try await found("sort=gap.best").prefix(4) == runs.reversed()[...])
      #expect(try await found("sort=metric:gap.min").prefix(4) == runs.reversed()[...])
      #expect(try await found("sort=-gap").prefix(4) == runs[...])
      let groups = try await server.get("/api/v1/runs/groups?project=digits&by=project&values=gap.last")
      #expect(
        groups.json["items"]?.array?.first?["values"]?["gap.last"]?["mean"]?.double == 5.5, "\(groups.text)")
      let fields = try await server.get("/api/v1/fields?project=digits")
      #expect(fields.json["derived"]?.array?.first?["name"] == "gap")
    }
  }

  @Test func `whoever may only read, or only one project, defines nothing elsewhere`() async throws {
    try await TestServer.run { server in
      _ = try await server.newRun("mine")
      let reader = try await server.newToken([.read])
      let bound = try await server.newToken([.write], project: "mine")
      func put(_ project: String, _ token: String) async throws -> Int {
        try await server.request(
          "PUT", "/api/v1/projects/\(project)/derived", token: token,
          headers: [("Content-Type", "application/json")],
          body: Array(#"{"name": "x", "expression": "a + 1"}"#.utf8)
        ).status
      }
      #expect(try await put("mine", reader) == 403)
      #expect(try await put("mine", bound) == 201)
      #expect(try await put("other", bound) == 403)
      // The first thing in a project makes it.
      #expect(try await put("fresh", server.token) == 201)
      #expect(try await server.get("/api/v1/projects/fresh").json["runs"] == 0)
      #expect(try await put("fresh", bound) == 404)
    }
  }

  @Test func `a project is described`() async throws {
    try await TestServer.run { server in
      let run = try await server.newRun()
      let project = try #require(try await server.get("/api/v1/runs/\(run)").json["project"]?.string)
      func patch(_ body: JSONValue) async throws -> HTTPAnswer {
        try await server.request(
          "PATCH", "/api/v1/projects/\(project)", token: server.token,
          headers: [("Content-Type", "application/json")], body: Array(body.text.utf8))
      }
      #expect(try await patch(["description": "Which width?"]).json["description"] == "Which width?")
      #expect(try await server.get("/api/v1/projects/\(project)").json["description"] == "Which width?")
      #expect(try await patch([:]).status == 422)
      #expect(try await patch(["description": .string(String(repeating: "a", count: 5_000))]).status == 422)
    }
  }
}
