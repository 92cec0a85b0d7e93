// What the trials of a sweep showed, asked for over HTTP.

import Foundation
import MartletModel
import MartletOrchestration
import MartletTestSupport
import OrderedCollections
import Testing

@testable import MartletServer

@Suite(.serialized) struct SweepAnalysisTests {
  /// Begins a sweep of six trials that wait until the directory is gone.
  private func sweep(
    _ server: TestServer, _ gate: String, _ keys: String, of values: [Int] = [1, 2, 3, 4, 5, 6]
  ) async throws -> String {
    try FileManager.default.createDirectory(atPath: gate, withIntermediateDirectories: true)
    let answer = try await server.post(
      "/api/v1/sweeps",
      [
        "source": .string(source(gate, keys, of: values)), "workdir": "/tmp", "environment": [:],
        "output": .string(gate + "-out"),
      ])
    #expect(answer.status == 201, "\(answer.text)")
    return answer.json["id"]?.string ?? ""
  }

  private func source(_ gate: String, _ keys: String, of values: [Int]) -> String {
    """
    name: six
    method: grid
    parameters: {x: {values: \(values)}, y: {values: [0]}}
    command: [/bin/sh, -c, "while [ -d \(gate) ]; do sleep 0.05; done"]
    max_parallel: 6
    \(keys)
    """
  }

  /// The runs of six trials, when they run.
  private func running(_ server: TestServer, _ id: String) async throws -> [String] {
    var runs: [String] = []
    try await eventually("six run") {
      let trials = try await server.get("/api/v1/sweeps/\(id)/trials").json["items"]?.array ?? []
      runs = trials.filter { $0["state"] == "running" }.compactMap { $0["run"]?.string }
      return runs.count == 6
    }
    return runs
  }

  private func log(_ values: String, to run: String, _ server: TestServer) async throws {
    let line = #"{"seq": 0, "step": 0, "time": 1790000000000000, "values": \#(values)}"#
    let logged = try await server.request(
      "POST", "/api/v1/runs/\(run)/log?client=client-1", token: server.token,
      headers: [("Content-Type", "application/x-ndjson")], body: Array((line + "\n").utf8))
    #expect(logged.status == 200, "\(logged.text)")
  }

  @Test func `the analysis follows the trials`() async throws {
    try await TestServer.run { server in
      let directory = TemporaryDirectory()
      defer { withExtendedLifetime(directory) {} }
      let gate = directory.path + "/gate"
      let id = try await sweep(server, gate, "metric: {name: loss, goal: minimize}")
      let path = "/api/v1/sweeps/\(id)/analysis"
      let before = try await server.get(path)
      #expect(before.status == 200, "\(before.text)")
      #expect(before.json["progress"]?["statements"] == ["No trial has ended yet."])
      #expect(before.json["importance"]?["parameters"] == [])
      for (number, run) in try await running(server, id).enumerated() {
        try await log(#"{"loss": \#(number * number)}"#, to: run, server)
      }
      try FileManager.default.removeItem(atPath: gate)
      try await eventually("it ended") {
        try await server.get("/api/v1/sweeps/\(id)").json["state"] == "finished"
      }
      let after = try await server.get(path).json
      #expect(after["trials"] == ["ended": 6, "complete": 6, "feasible": 6, "outside": 0])
      #expect(after["progress"]?["best_trial"] == 0)
      let parameter = after["importance"]?["parameters"]?.array?.first
      #expect(parameter?["name"] == "x")
      #expect(parameter?["trials"] == 6)
      #expect(after["slices"]?.array?.first?["values"] == [1, 2, 3, 4, 5, 6])
      #expect(after["distribution"]?["metric"]?.array?.compactMap(\.double) == [0, 1, 4, 9, 16, 25])
      #expect(after["distribution"]?["share"]?.array?.last?.double == 1)
      let schemas = OpenAPIDocument(routes: apiRoutes).json["components"]?["schemas"]
      #expect(
        Set(schemas?["SweepAnalysis"]?["properties"]?.object?.keys ?? []) == Set(after.object?.keys ?? []))
      #expect(try await server.get(path + "?objective=1").status == 422)
      #expect(try await server.get(path + "?objective=-1").status == 422)
      try await charts(server, path)
    }
  }

  /// All charts of six trials over one parameter, and what there is not.
  private func charts(_ server: TestServer, _ path: String) async throws {
    let names = AnalysisChart.allCases.map(\.rawValue)
    let answer = try await server.get("\(path)?objective=loss&charts=\(names.joined(separator: ","))")
    #expect(answer.status == 200, "\(answer.text)")
    let charts = try #require(answer.json["charts"])
    #expect(Set(charts.object?.keys ?? []) == Set(names))
    #expect(charts["history"]?["best"]?.array?.map(\.double) == Array(repeating: 0, count: 6))
    #expect(charts["trials"]?["rank"] == [1, 2, 3, 4, 5, 6])
    #expect(charts["timeline"]?["lane_count"] == 6)
    #expect(charts["contour"]?.isNull == true)
    #expect(
      answer.json["chart_notes"]?["contour"]
        == "It takes two parameters of several values: the sweep searches one.")
    let schemas = OpenAPIDocument(routes: apiRoutes).json["components"]?["schemas"]
    let known = schemas?["SweepAnalysis"]?["properties"]?["charts"]?["properties"]
    #expect(Set(known?.object?.keys ?? []) == Set(names))
    for (name, chart) in charts.object ?? [:] where chart["trials"] != nil {
      let schema = known?[name]?["anyOf"]?.array?.first ?? known?[name]
      #expect(Set(schema?["properties"]?.object?.keys ?? []) == Set(chart.object?.keys ?? []), "\(name)")
    }
    for wrong in ["objective=los", "charts=contur", "charts=contour&x=lr", "x=x", "charts=rank&x=x&y=x"] {
      let refused = try await server.get("\(path)?\(wrong)")
      #expect(refused.status == 422, "\(wrong): \(refused.text)")
    }
    #expect(
      try await server.get("\(path)?charts=contur").json["error"]?["hint"]?.string?.contains("'contour'")
        == true)
  }

  @Test func `trials count when the sweep's file has left them outside`() async throws {
    try await TestServer.run { server in
      let directory = TemporaryDirectory()
      defer { withExtendedLifetime(directory) {} }
      let (gate, keys) = (directory.path + "/gate", "metric: {name: loss, goal: minimize}")
      let id = try await sweep(server, gate, keys, of: Array(1...8))
      let path = "/api/v1/sweeps/\(id)/analysis?charts=trials"
      for (number, run) in try await running(server, id).enumerated() {
        try await log(#"{"loss": \#(number)}"#, to: run, server)
      }
      #expect(try await server.post("/api/v1/sweeps/\(id)/pause", [:]).status < 300)
      try FileManager.default.removeItem(atPath: gate)
      try await eventually("six ended") { try await server.get(path).json["trials"]?["complete"] == 6 }
      let before = try await server.get(path).json
      #expect(before["trials"]?["outside"] == 0)
      let changed = try await server.send(
        "PATCH", "/api/v1/sweeps/\(id)", ["source": .string(source(gate, keys, of: Array(3...8)))])
      #expect(changed.status == 200, "\(changed.text)")
      let after = try await server.get(path).json
      #expect(after["trials"] == ["ended": 6, "complete": 6, "feasible": 6, "outside": 2])
      #expect(after["progress"]?["best_trial"] == 0)
      #expect(
        after["progress"]?["statements"]?.array?.last?.string?.hasPrefix("2 trials lie outside") == true)
      #expect(after["importance"]?["trials"] == 4)
      #expect(after["charts"]?["trials"]?["outside"] == [true, true, false, false, false, false])
    }
  }

  @Test func `there is none without a metric, without the sweep, and without a token`() async throws {
    try await TestServer.run { server in
      let directory = TemporaryDirectory()
      defer { withExtendedLifetime(directory) {} }
      let gate = directory.path + "/gate"
      let id = try await sweep(server, gate, "")
      let answer = try await server.get("/api/v1/sweeps/\(id)/analysis")
      #expect(answer.status == 422)
      #expect(answer.message == "Sweep '\(id)' looks for nothing: its file names no metric.")
      #expect(try await server.get("/api/v1/sweeps/zzzzzzzz/analysis").status == 404)
      #expect(
        try await server.request("GET", "/api/v1/sweeps/\(id)/analysis").status == 401)
      try FileManager.default.removeItem(atPath: gate)
      try await eventually("it ended") {
        try await server.get("/api/v1/sweeps/\(id)").json["state"] == "finished"
      }
    }
  }
}
