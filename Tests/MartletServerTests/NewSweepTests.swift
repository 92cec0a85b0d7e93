// A sweep before it begins: files to begin with, what a file would do, and whose environment it has.

import Foundation
import MartletModel
import MartletOrchestration
import MartletTestSupport
import OrderedCollections
import Testing

@testable import MartletServer

@Suite(.serialized) struct NewSweepTests {
  private static let grid = """
    name: six
    method: grid
    metric: {name: loss}
    parameters: {x: {values: [1, 2, 3, 4, 5, 6]}}
    command: ["true"]
    max_parallel: 2
    timeout: 60

    """

  private func body(_ source: String, _ more: JSONObject = [:]) -> JSONValue {
    let least: JSONObject = ["source": .string(source), "workdir": "/tmp"]
    return .object(least.merging(more) { $1 })
  }

  private func ended(
    _ server: TestServer, _ sweep: String, as states: Set<String> = ["finished"]
  ) async throws {
    try await eventually("it ended") {
      states.contains(try await server.get("/api/v1/sweeps/\(sweep)").json["state"]?.string ?? "")
    }
  }

  @Test func `a plan says what a file would do, and begins nothing`() async throws {
    try await TestServer.run { server in
      let plan = try await server.post("/api/v1/sweep-plan", body(Self.grid, ["project": "digits"]))
      #expect(plan.status == 200, "\(plan.text)")
      #expect(plan.json["name"] == "six")
      #expect(plan.json["project"] == "digits")
      #expect(plan.json["command"] == ["true"])
      let rows = (plan.json["rows"]?.array ?? []).compactMap { row in
        row["name"]?.string.flatMap { name in row["words"]?.string.map { (name, $0) } }
      }
      let words = Dictionary(uniqueKeysWithValues: rows)
      #expect(words["Trials"] == "6 of 6 points")
      #expect(words["Looks for"] == "minimize loss (best)")
      #expect(words["Needs"] == "a device each where there are any")
      #expect(words["Time"] == "2 at a time; at most 3 min 0 s, 1 min 0 s a trial")
      #expect(plan.json["points"]?.array?.map { $0["params"]?["x"] } == [1, 2, 3, 4, 5])
      #expect(plan.json["doubt"]?.isNull == true)
      let bayes = Self.grid.replacing("method: grid", with: "method: bayes\nrun_cap: 4")
      let drawn = try await server.post("/api/v1/sweep-plan", body(bayes)).json
      #expect(drawn["doubt"]?.string?.hasPrefix("drawn with seed 0") == true)
      #expect(drawn["points"]?.array?.count == 4)
      let seeded = try await server.post("/api/v1/sweep-plan", body("seed: 3\n" + bayes)).json
      #expect(seeded["doubt"]?.string?.contains("decides about later ones") == true)
      let shuffled = Self.grid.replacing("method: grid", with: "method: {name: grid, order: seeded}")
      let unseeded = try await server.post("/api/v1/sweep-plan", body(shuffled)).json
      #expect(unseeded["doubt"]?.string?.hasPrefix("drawn with seed 0") == true)
      let agents = Self.grid.replacing("max_parallel: 2", with: "max_parallel: 0")
      let lent = try await server.post("/api/v1/sweep-plan", body(agents)).json["rows"]?.array ?? []
      #expect(lent.last?["words"]?.string?.hasPrefix("agents run them") == true)
      #expect(try await server.get("/api/v1/sweeps").json["items"] == [])
    }
  }

  @Test func `what would keep a sweep from beginning is told by its plan, with its place`() async throws {
    try await TestServer.run { server in
      let wrong = Self.grid.replacing("method: grid", with: "metod: grid")
      let plan = try await server.post("/api/v1/sweep-plan", body(wrong))
      #expect(plan.status == 422)
      let details = plan.json["error"]?["details"]
      #expect(details?["line"] == 2)
      #expect(details?["column"] == 1)
      let begun = try await server.post("/api/v1/sweeps", body(wrong))
      #expect(begun.json == plan.json)
      let away = try await server.post("/api/v1/sweep-plan", body(Self.grid, ["workdir": "/nowhere/at/all"]))
      #expect(away.status == 422)
      #expect(away.json["error"]?["details"] == ["key": "workdir"])
      let devices = Self.grid + "resources: {gpus: 3}\n"
      #expect(
        try await server.post("/api/v1/sweep-plan", body(devices)).message?.contains("needs 3 devices")
          == true)
      let reader = try await server.newToken([.read])
      #expect(try await server.post("/api/v1/sweep-plan", body(Self.grid), token: reader).status == 403)
      _ = try await server.newRun("other")
      let other = try await server.newToken([.run], project: "other")
      let named = body(Self.grid, ["project": "digits"])
      #expect(try await server.post("/api/v1/sweep-plan", named, token: other).status == 403)
      // A sweep to learn from is there, and not for this token.
      let learned = try await server.post("/api/v1/sweeps", body(Self.grid, ["project": "digits"]))
      #expect(learned.status == 201, "\(learned.text)")
      let warm = body(Self.grid + "warm_start: six\n", ["project": "other"])
      let hidden = try await server.post("/api/v1/sweep-plan", warm, token: other)
      #expect(hidden.status == 422)
      #expect(hidden.json["error"]?["details"]?["key"] == "warm_start")
      #expect(try await server.post("/api/v1/sweep-plan", warm).status == 200)
      try await ended(server, try #require(learned.json["id"]?.string), as: ["finished", "failed"])
    }
  }

  @Test func `a template is a file that can be begun, or what another sweep was begun with`() async throws {
    try await TestServer.run { server in
      let directory = TemporaryDirectory()
      defer { withExtendedLifetime(directory) {} }
      try FileManager.default.createDirectory(
        atPath: directory.path + "/code", withIntermediateDirectories: true)
      let fresh = try await server.get("/api/v1/sweep-template?program=fit.py").json
      let source = try #require(fresh["source"]?.string)
      #expect(source.contains("program: fit.py\n"))
      #expect(fresh["environment_of"] == "server")
      #expect(fresh["workdir"]?.isNull == true)
      #expect(FileManager.default.createFile(atPath: directory.path + "/fit.py", contents: Data()))
      let plan = try await server.post(
        "/api/v1/sweep-plan", body(source, ["workdir": .string(directory.path)]))
      #expect(plan.status == 200, "\(plan.text)")

      let file = Self.grid.replacing("metric: {name: loss}\n", with: "")
        .replacing("command: [\"true\"]", with: "program: fit.py\nworkdir: code")
      let begun = try await server.post(
        "/api/v1/sweeps",
        body(
          file,
          [
            "workdir": .string(directory.path), "filename": "mine.yaml", "command": ["true"],
            "output": .string(directory.path + "/out"),
          ]))
      #expect(begun.status == 201, "\(begun.text)")
      let id = try #require(begun.json["id"]?.string)
      #expect(begun.json["workdir"]?.string == directory.path + "/code")
      let like = try await server.get("/api/v1/sweep-template?like=\(id)").json
      #expect(
        like == [
          "source": .string(file), "filename": "mine.yaml", "workdir": .string(directory.path),
          "command": ["true"], "output": .string(directory.path + "/out"), "environment_of": .string(id),
        ])
      let again = try await server.post("/api/v1/sweeps", like)
      #expect(again.status == 201, "\(again.text)")
      #expect(again.json["workdir"] == begun.json["workdir"])
      #expect(try await server.get("/api/v1/sweep-template?like=zzzzzzzz").status == 404)
      try await ended(server, id)
      try await ended(server, try #require(again.json["id"]?.string))
    }
  }

  @Test func `a sweep begins with the environment of the server, or of another sweep`() async throws {
    try await TestServer.run { server in
      let directory = TemporaryDirectory()
      defer { withExtendedLifetime(directory) {} }
      try FileManager.default.createDirectory(atPath: directory.path, withIntermediateDirectories: true)
      let notes = directory.path + "/notes"
      let source = """
        method: grid
        parameters: {x: {values: [1]}}
        command: [/bin/sh, -c, 'echo "$COLOUR $SIZE $HOME" >> \(notes)']

        """
      func begin(_ more: JSONObject, token: String? = nil) async throws -> HTTPAnswer {
        let answer = try await server.post("/api/v1/sweeps", body(source, more), token: token)
        if answer.status == 201 { try await ended(server, try #require(answer.json["id"]?.string)) }
        return answer
      }
      func said() throws -> [Substring] {
        try String(contentsOfFile: notes, encoding: .utf8).split(separator: "\n")
      }
      let first = try await begin(["project": "digits", "environment": ["COLOUR": "red", "SIZE": "3"]])
      let id = try #require(first.json["id"]?.string)
      _ = try await begin(["environment_of": .string(id), "environment": ["SIZE": "4"]])
      _ = try await begin(["environment_of": "server", "environment": ["COLOUR": "blue"]])
      let home = ProcessInfo.processInfo.environment["HOME"] ?? ""
      #expect(try said() == ["red 3 ", "red 4 ", "blue  \(home)"])
      #expect(try await begin(["environment_of": "mine"]).status == 422)
      // What the file of that sweep set is the file's: where the new one does not set it, it is not set.
      let set = try await server.post("/api/v1/sweeps", body(source + "env: {COLOUR: green}\n"))
      let green = try #require(set.json["id"]?.string)
      try await ended(server, green)
      _ = try await begin(["environment_of": .string(green), "environment": ["SIZE": "5"]])
      let last = try said().suffix(2).map { $0.prefix(6).trimmingCharacters(in: .whitespaces) }
      #expect(last == ["green", "5"])
      // Whoever may not see the sweep gets nothing of it.
      _ = try await server.newRun("other")
      let other = try await server.newToken([.run], project: "other")
      let refused = try await begin(["project": "other", "environment_of": .string(id)], token: other)
      #expect(refused.status == 404)
    }
  }
}
