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
  private func sweep(_ server: TestServer, _ gate: String, _ keys: String) async throws -> String {
    try FileManager.default.createDirectory(atPath: gate, withIntermediateDirectories: true)
    let answer = try await server.post(
      "/api/v1/sweeps",
      [
        "source": .string(
          """
          name: six
          method: grid
          parameters: {x: {values: [1, 2, 3, 4, 5, 6]}}
          command: [/bin/sh, -c, "while [ -d \(gate) ]; do sleep 0.05; done"]
          max_parallel: 6
          \(keys)
          """), "workdir": "/tmp", "environment": [:], "output": .string(gate + "-out"),
      ])
    #expect(answer.status == 201, "\(answer.text)")
    return answer.json["id"]?.string ?? ""
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
      var runs: [String] = []
      try await eventually("six run") {
        let trials = try await server.get("/api/v1/sweeps/\(id)/trials").json["items"]?.array ?? []
        runs = trials.filter { $0["state"] == "running" }.compactMap { $0["run"]?.string }
        return runs.count == 6
      }
      for (number, run) in runs.enumerated() {
        let values = #"{"loss": \#(number * number)}"#
        let line = #"{"seq": 0, "step": 0, "time": 1790000000000000, "values": \#(values)}"#
        let logged = try await server.request(
          "POST", "/api/v1/runs/\(run)/log?client=client-1", token: server.token,
          headers: [("Content-Type", "application/x-ndjson")], body: Array((line + "\n").utf8))
        #expect(logged.status == 200, "\(logged.text)")
      }
      try FileManager.default.removeItem(atPath: gate)
      try await eventually("it ended") {
        try await server.get("/api/v1/sweeps/\(id)").json["state"] == "finished"
      }
      let after = try await server.get(path).json
      #expect(after["trials"] == ["ended": 6, "complete": 6, "feasible": 6])
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
      #expect(try await server.get(path + "?objective=-1").status == 400)
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
