// Runs as lists show them: their order, pages and filters, and what is kept of each.

import Foundation
import MartletModel
import MartletTestSupport
import OrderedCollections
import Testing

@testable import MartletStore

@Suite struct RunListTests {
  private func names(_ bench: Bench, _ query: RunQuery) async throws -> [String] {
    try await bench.store.read { try $0.runs(query, PageRequest(limit: 1000)) }.items.map(\.name)
  }

  @Test func byMetricWithMissingLastInBothDirections() async throws {
    let bench = try await Bench()
    let histories: [(String, [Double])] = [
      ("low", [9, 1]), ("nan", [5, .nan]), ("none", []), ("high", [2, 8]), ("negative", [-.infinity, 4]),
      ("infinite", [3, .infinity]), ("onlyNaN", [.nan]),
    ]
    for (name, values) in histories {
      let run = try await bench.run(name)
      try await bench.append(
        values.enumerated().map { row(Int64($0), ["val/loss": $1]) } + [row(Int64(values.count), ["z": 0])],
        to: run)
    }
    func order(_ aggregate: RunQuery.Aggregate, _ descending: Bool) async throws -> [String] {
      try await names(
        bench, RunQuery(order: .metric(name: "val/loss", aggregate: aggregate, descending: descending)))
    }
    let lacking = ["onlyNaN", "none", "nan"]
    #expect(try await order(.last, false) == ["low", "negative", "high", "infinite"] + lacking)
    #expect(try await order(.last, true) == ["infinite", "high", "negative", "low"] + lacking)
    #expect(
      try await order(.min, false) == ["negative", "low", "high", "infinite", "nan", "onlyNaN", "none"])
    #expect(try await order(.max, true) == ["infinite", "low", "high", "nan", "negative", "onlyNaN", "none"])
    // A metric that nobody has sorts nothing away.
    let unknown = RunQuery(order: .metric(name: "nobody's", aggregate: .max, descending: true))
    #expect(try await names(bench, unknown).count == histories.count)
  }

  @Test func pagesJoinToTheWholeList() async throws {
    let bench = try await Bench()
    var dice = Dice(state: 5)
    for number in 0..<37 {
      let run = try await bench.run("\(["teal", "owl", "kite"][number % 3])-\(number % 10)")
      if number % 4 > 0 { try await bench.append([row(0, ["m": dice.value()])], to: run) }
    }
    let orders: [RunQuery.Order] = [
      .created(descending: true), .created(descending: false), .name(descending: false),
      .name(descending: true),
      .metric(name: "m", aggregate: .last, descending: false),
      .metric(name: "m", aggregate: .max, descending: true),
    ]
    for order in orders {
      let query = RunQuery(order: order)
      let whole = try await bench.store.read { try $0.runs(query, PageRequest(limit: 1000)) }
      #expect(whole.items.count == 37)
      #expect(whole.next == nil)
      for limit in [5, 36, 37] {
        var joined: [PublicID] = []
        var cursor: String?
        repeat {
          let request = PageRequest(limit: limit, cursor: cursor)
          let page = try await bench.store.read { try $0.runs(query, request) }
          #expect(page.items.count == limit || page.next == nil)
          joined += page.items.map(\.id)
          cursor = page.next
        } while cursor != nil
        #expect(joined == whole.items.map(\.id))
      }
    }
    let created = try await bench.store.read {
      try $0.runs(RunQuery(order: .created(descending: false)), PageRequest())
    }
    let reversed = try await bench.store.read { try $0.runs(RunQuery(), PageRequest()) }
    #expect(created.items.map(\.id) == reversed.items.map(\.id).reversed())
    for cursor in ["", "o", "o-1", "17", "ox", "o99999999999999999999", "id-", "id-nobody00", "id-NOBODY00"] {
      let request = PageRequest(cursor: cursor)
      for order in [RunQuery.Order.created(descending: true), .name(descending: true)] {
        _ = try await problem(.badRequest) {
          _ = try await bench.store.read { try $0.runs(RunQuery(order: order), request) }
        }
      }
      _ = try await problem(.badRequest) {
        _ = try await bench.store.read { try $0.sweeps(SweepQuery(), request) }
      }
    }
  }

  /// A list is read while runs are being added: none comes twice, none is passed over.
  @Test func aNewRunBetweenTwoPages() async throws {
    let bench = try await Bench()
    var ids: [PublicID] = []
    for number in 0..<7 { ids.append(try await bench.run("run-\(number)")) }
    for isDescending in [true, false] {
      let before = ids
      var joined: [PublicID] = []
      var cursor: String?
      repeat {
        let request = PageRequest(limit: 2, cursor: cursor)
        let query = RunQuery(order: .created(descending: isDescending))
        let page = try await bench.store.read { try $0.runs(query, request) }
        joined += page.items.map(\.id)
        cursor = page.next
        if ids.count < before.count + 3 { ids.append(try await bench.run("late")) }
      } while cursor != nil
      #expect(joined == (isDescending ? before.reversed() : ids))
    }
  }

  @Test func filters() async throws {
    let bench = try await Bench()
    let me = bench.me
    _ = try await bench.run("Swift-Finch", in: "digits")
    let done = try await bench.run("calm-owl", in: "digits")
    _ = try await bench.run("100%_finch", in: "letters")
    try await bench.store.write {
      let exit = ExitRecord(code: 0, signal: nil, reason: "Finished.")
      try $0.setRunState(done, .finished, exit: exit, by: me, now: noon)
    }
    #expect(try await names(bench, RunQuery(project: "digits")) == ["calm-owl", "Swift-Finch"])
    let id = try #require(try await bench.store.read { try $0.project("letters") }).id
    #expect(try await names(bench, RunQuery(project: id.rawValue)) == ["100%_finch"])
    #expect(try await names(bench, RunQuery(states: [.finished, .lost])) == ["calm-owl"])
    #expect(try await names(bench, RunQuery(states: [])).isEmpty)
    #expect(try await names(bench, RunQuery(search: "finch")) == ["100%_finch", "Swift-Finch"])
    // No pattern characters.
    #expect(try await names(bench, RunQuery(search: "%_")) == ["100%_finch"])
    #expect(
      try await names(bench, RunQuery(project: "digits", states: [.running], search: "SWIFT")) == [
        "Swift-Finch"
      ])
    #expect(try await names(bench, RunQuery(sweep: .random())).isEmpty)
    let refused = try await problem(.notFound) { _ = try await names(bench, RunQuery(project: "digit")) }
    #expect(refused.hint == "Did you mean 'digits'?")
  }

  @Test func bySweep() async throws {
    let bench = try await Bench()
    let me = bench.me
    _ = try await bench.run("outside")
    let sweep = try await bench.store.write { writer in
      let id = try writer.freshSweepID()
      let sweep = Sweep(
        id: id, project: "digits", name: "search", description: "", state: .running, method: "grid",
        objective: Objective(metric: "loss", goal: .minimize), parameters: [], maxParallel: 2, timeout: nil,
        command: ["train"], workdir: "/", outputDirectory: "/tmp", spaceSize: 2, budget: 2, createdAt: noon,
        createdBy: me.name, seed: .max, source: "name: search")
      let row = try writer.createSweep(
        sweep, samplerState: ["at": 1], filename: nil, commandOverride: nil, by: me, now: noon)
      for number in 0..<2 {
        let run = try writer.freshRunID()
        try writer.createExecutedRun(
          ExecutedRun(
            project: "digits", name: "trial-\(number)", sweepRow: row, trial: number, config: [:],
            command: [],
            workdir: "/", directory: "/tmp", execution: [:]), id: run, by: me, now: noon)
        try writer.createTrial(
          ofSweep: row, number: number, parameters: ["lr": 0.1], run: run, by: me, now: noon)
      }
      return id
    }
    #expect(try await names(bench, RunQuery(sweep: sweep)) == ["trial-1", "trial-0"])
    let trials = try await bench.store.read { try $0.trials(of: sweep) }
    #expect(trials.map(\.number) == [0, 1])
    for trial in trials { try await bench.append([row(0, ["loss": Double(trial.number)])], to: trial.run) }
    #expect(try await bench.store.read { try $0.trials(of: sweep) }.map { $0.metrics?.final } == [0, 1])
    let shown = try #require(try await bench.reopened().store.read { try $0.sweep(sweep) })
    #expect(shown.seed == .max)
    #expect(shown.counts == [.waiting: 2])
  }

  @Test func pagesOfSweeps() async throws {
    let bench = try await Bench()
    let me = bench.me
    func add() async throws -> PublicID {
      try await bench.store.write { writer in
        let id = try writer.freshSweepID()
        let sweep = Sweep(
          id: id, project: "digits", name: "search", description: "", state: .running, method: "grid",
          objective: nil, parameters: [], maxParallel: 2, timeout: nil, command: ["train"], workdir: "/",
          outputDirectory: "/tmp", spaceSize: 2, budget: 2, createdAt: noon, createdBy: me.name, seed: 1,
          source: "")
        _ = try writer.createSweep(
          sweep, samplerState: [:], filename: nil, commandOverride: nil, by: me, now: noon)
        return id
      }
    }
    var ids: [PublicID] = []
    for _ in 0..<5 { ids.append(try await add()) }
    var joined: [PublicID] = []
    var cursor: String?
    repeat {
      let request = PageRequest(limit: 2, cursor: cursor)
      let page = try await bench.store.read { try $0.sweeps(SweepQuery(project: "digits"), request) }
      joined += page.items.map(\.id)
      cursor = page.next
      _ = try await add()
    } while cursor != nil
    #expect(joined == ids.reversed())
  }

  @Test func configKeepsItsTypesAndMergesByKey() async throws {
    var bench = try await Bench()
    let text = """
      {"whole": 1, "real": 1.0, "yes": true, "text": "true", "nothing": null, "big": 9223372036854775807, \
      "net": {"layers": [1, 1.0, "1", {"a": null}], "act": "relu"}}
      """
    var details = RunPatch()
    details.config = try JSONValue.parse(text)
    let run = try await bench.run(with: details)
    #expect(try await bench.show(run).config == details.config)
    var change = RunPatch()
    change.config = try JSONValue.parse(
      #"{"net": {"act": 2, "new": {}}, "whole": null, "added": false, "real": {"now": "nested"}}"#)
    let patch = change
    try await bench.store.write { try $0.patchRun(run, patch, now: noon) }
    bench = try bench.reopened()
    let merged = try await bench.show(run).config
    #expect(
      merged.text == """
        {"whole":null,"real":{"now":"nested"},"yes":true,"text":"true","nothing":null,\
        "big":9223372036854775807,"net":{"act":2,"new":{}},"added":false}
        """)
  }

  @Test func aPatchChangesWhatItNamesAndNothingElse() async throws {
    let bench = try await Bench()
    var all = RunPatch()
    (all.notes, all.tags, all.group, all.jobType) = ("note", ["a", "b"], "group", "train")
    (all.host, all.pid, all.command, all.workdir) = ("host", 7, ["python", "t.py"], "/w")
    all.python = "3.11"
    all.git = GitState(commit: "abc", branch: "main", isDirty: true, remote: nil)
    let run = try await bench.run("first", with: all)
    let before = try await bench.show(run)
    #expect(
      (before.notes, before.tags, before.group, before.jobType) == ("note", ["a", "b"], "group", "train"))
    #expect((before.host, before.pid, before.workdir, before.python) == ("host", 7, "/w", "3.11"))
    #expect(before.command == ["python", "t.py"])
    #expect(before.git == all.git)
    var patch = RunPatch()
    (patch.name, patch.tags) = ("second", [])
    let change = patch
    try await bench.store.write { try $0.patchRun(run, change, now: noon) }
    var expected = before
    (expected.name, expected.tags) = ("second", [])
    #expect(try await bench.show(run) == expected)
  }

  @Test func projectsByLatestActivity() async throws {
    let bench = try await Bench()
    let me = bench.me
    for (seconds, name) in [(0.0, "a"), (1, "b"), (2, "c"), (3, "a")] {
      _ = try await bench.store.write {
        try $0.createExternalRun(project: name, name: "r", RunPatch(), by: me, now: noon + seconds)
      }
    }
    let all = try await bench.store.read { try $0.projects(PageRequest(), only: nil) }
    #expect(all.items.map(\.name) == ["a", "c", "b"])
    #expect(all.items.first.map { [$0.runs, $0.running, $0.sweeps] } == [2, 2, 0])
    #expect(
      try await bench.store.read { try $0.projects(PageRequest(), only: "b") }.items.map(\.name) == ["b"])
    let first = try await bench.store.read { try $0.projects(PageRequest(limit: 2), only: nil) }
    let rest = try await bench.store.read {
      try $0.projects(PageRequest(limit: 2, cursor: first.next), only: nil)
    }
    #expect((first.items + rest.items).map(\.name) == ["a", "c", "b"])
  }
}
