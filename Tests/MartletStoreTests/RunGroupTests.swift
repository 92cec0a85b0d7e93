// Groups of runs beside groups made in memory; names of fields; what completes a filter.

import Foundation
import GRDB
import MartletModel
import MartletSeries
import MartletTestSupport
import OrderedCollections
import Synchronization
import Testing

@testable import MartletStore

@Suite struct RunGroupTests {
  /// Every run is in its groups and in no other; each group's filter finds just its runs; numbers are those of the runs.
  @Test(arguments: [11, 12])
  func `groups are what runs have in common`(seed: UInt64) async throws {
    let bench = try await FilterBench(seed: seed, runs: 24)
    try await bench.bench.store.read { reader in
      var dice = Dice(state: seed)
      for _ in 0..<60 {
        var by: [FilterField] = []
        for _ in 0..<Int.random(in: 1...2, using: &dice) {
          let field = FilterBench.field(&dice)
          if !["sweep", "flow"].contains(field.name) { by.append(field) }
        }
        guard !by.isEmpty else { continue }
        let values = try ["loss.best", "acc.mean", "duration"].map { try #require(FilterField($0)) }
        var query = RunQuery()
        query.now = FilterBench.now
        query.filter =
          Bool.random(using: &dice) ? try ParsedFilter("lr exists or not seed = 3").expression : nil
        let question = try RunQuestion(reader, query)
        let evaluator = FilterEvaluator(question.filter ?? .and([]), now: query.now)
        let resolver = FilterResolver(catalog: StoreCatalog(reader: reader, project: nil), now: query.now)
        let runs = bench.runs.filter { evaluator.holds(for: $0) }

        let groups = try reader.groups(query, RunGrouping(by: by, values: values), PageRequest(limit: 1_000))
          .items
        let subjects = try by.map(resolver.subject)
        let hasMany = subjects.contains(.attribute(.tag)) || subjects.contains(.attribute(.device))
        if !hasMany { #expect(groups.map(\.count.total).reduce(0, +) == runs.count, "\(by.map(\.text))") }
        #expect(groups.map(\.count.total) == groups.map(\.count.total).sorted(by: >))
        for group in groups {
          let filter = try ParsedFilter(try #require(group.filter).description).expression
          let own = FilterEvaluator(try resolver.resolve(filter), now: query.now)
          let members = bench.runs.filter { own.holds(for: $0) }
          #expect(members.count == group.count.total, "\(filter)")
          for (place, name) in values.enumerated() {
            let subject = try resolver.subject(of: name)
            let numbers = members.flatMap { evaluator.values(of: subject, in: $0) }.compactMap { value in
              if case .number(let number) = value, number.double.isFinite { number.double } else { nil }
            }
            let found = group.values[place].statistics
            #expect(found?.count ?? 0 == numbers.count, "\(filter): \(name.text)")
            #expect(found?.max == numbers.max())
            #expect(found?.median == GroupStatistics(numbers)?.median)
          }
        }
      }
    }
  }

  @Test func `order and pages of groups`() async throws {
    let bench = try await Bench()
    for (number, opt) in ["b", "a", nil, "a", "c", "a", "c"].enumerated() {
      var patch = RunPatch()
      if let opt { patch.config = ["opt": .string(opt)] }
      let run = try await bench.run("run-\(number)", with: patch)
      if number != 2 { try await bench.append([row(0, ["loss": Double(10 - number)])], to: run) }
    }
    let (opt, loss) = (try #require(FilterField("opt")), try #require(FilterField("loss")))
    func keys(_ sort: FilterField?, _ isDescending: Bool) async throws -> [String?] {
      let grouping = RunGrouping(by: [opt], values: [loss], sort: sort, isDescending: isDescending)
      var found: [String?] = []
      var cursor: String?
      repeat {
        let request = PageRequest(limit: 2, cursor: cursor)
        let page = try await bench.store.read { try $0.groups(RunQuery(), grouping, request) }
        found += page.items.map { $0.key[0]?.json.string }
        cursor = page.next
      } while cursor != nil
      return found
    }
    #expect(try await keys(nil, true) == ["a", "c", "b", nil])
    #expect(try await keys(nil, false) == ["b", nil, "c", "a"])
    #expect(try await keys(opt, false) == ["a", "b", "c", nil])
    #expect(try await keys(opt, true) == ["c", "b", "a", nil])
    #expect(try await keys(loss, false) == ["c", "a", "b", nil])
    #expect(try await keys(loss, true) == ["b", "a", "c", nil])
    for grouping in [
      RunGrouping(by: [try #require(FilterField("nothing"))]),
      RunGrouping(by: [opt], values: [.attribute(.name)]),
      RunGrouping(by: [opt], sort: loss),
    ] {
      _ = try await problem(.badRequest) {
        _ = try await bench.store.read { try $0.groups(RunQuery(), grouping, PageRequest()) }
      }
    }
  }

  @Test func `fields and their counts`() async throws {
    let bench = try await Bench()
    let me = bench.me
    var ids: [PublicID] = []
    for number in 0..<4 {
      var patch = RunPatch()
      patch.config = ["lr": .double(0.1 * Double(number / 2)), "same": 1, "deep": ["er": "x"]]
      if number == 3 { patch.config = patch.config?.merging(["odd": nil]) }
      patch.metrics = ["loss": MetricDefinition(name: "loss", goal: .minimize)]
      patch.summary = ["top": .int(Int64(number))]
      let id = try await bench.run("run-\(number)", in: number == 0 ? "other" : "digits", with: patch)
      try await bench.append([row(0, number == 1 ? ["loss": 1] : ["loss": 1, "acc": 2])], to: id)
      ids.append(id)
    }
    func fields(_ project: String?, _ search: String? = nil) async throws -> FieldList {
      try await bench.store.read { try $0.fields(project: project, search: search, limit: 100) }
    }
    let digits = try await fields("digits")
    #expect(
      digits.config == [
        ConfigFieldSummary(name: "deep.er", runs: 3, values: 1, varies: false),
        ConfigFieldSummary(name: "lr", runs: 3, values: 2, varies: true),
        ConfigFieldSummary(name: "same", runs: 3, values: 1, varies: false),
        ConfigFieldSummary(name: "odd", runs: 1, values: 1, varies: true),
      ])
    #expect(
      digits.metrics == [
        MetricFieldSummary(name: "loss", runs: 3, goal: .minimize),
        MetricFieldSummary(name: "acc", runs: 2, goal: nil),
      ])
    #expect(digits.summary.map(\.runs) == [3])
    #expect(try await fields(nil).metrics.map(\.runs) == [4, 3])
    #expect(try await fields("digits", "LR").config.map(\.name) == ["lr"])
    // Purged, its names are gone, and so is what only it had.
    let last = ids[3]
    try await bench.store.purge(last, by: me, now: noon)
    try await bench.store.settle(idle: true)
    try await bench.endPurges()
    let after = try await fields("digits")
    #expect(after.config.map(\.name) == ["deep.er", "lr", "same"])
    #expect(after.config.map(\.runs) == [2, 2, 2])
    #expect(after.metrics.map(\.runs) == [2, 1])
    let gone = try await problem(.badRequest) {
      var query = RunQuery()
      query.filter = try ParsedFilter("odd exists").expression
      let asked = query
      _ = try await bench.store.read { try $0.runs(asked, PageRequest()) }
    }
    #expect(gone.details["from"] == 0 && gone.details["to"] == 3)
    // Moved, its names count elsewhere.
    try await bench.store.write { writer in
      try writer.db.execute(
        sql: "UPDATE run SET project_id = (SELECT id FROM project WHERE name = 'other') WHERE name = 'run-1'")
    }
    #expect(try await fields("other").config.first { $0.name == "lr" }?.runs == 2)
    #expect(try await fields("digits").config.map(\.runs) == [1, 1, 1])
  }

  /// Where runs have very many values, fewer runs are looked at; names that are asked for are found in any case.
  @Test func `values of many names`() async throws {
    let bench = try await Bench()
    for number in 0..<10 {
      var patch = RunPatch()
      patch.config = .object(
        JSONObject((0..<150).map { ("k\($0)", .int(Int64(number % 4))) }, uniquingKeysWith: { $1 }))
      _ = try await bench.run("run-\(number)", with: patch)
    }
    try await bench.store.read { reader in
      let keys = Set(try Int64.fetchAll(reader.db, sql: "SELECT id FROM config_key"))
      #expect(keys.count == 150)
      let all = try reader.valueSample(nil, keys)
      #expect(all.runs == 10 && all.values.count == 150)
      #expect(all.values.values.allSatisfy { $0.different.count == 4 && $0.runs == 10 })
      let some = try reader.valueSample(nil, keys, limit: 300)
      #expect(some.runs == 2 && some.values.values.allSatisfy { $0.different.count == 2 })
      let one = try reader.valueSample(nil, [try #require(keys.first)], limit: 300)
      #expect(one.runs == 10 && one.values.count == 1)
    }
    let fields = try await bench.store.read { try $0.fields(project: "digits", search: "k7", limit: 3) }
    #expect(fields.config.map(\.values) == [4, 4, 4])
  }

  @Test func completion() async throws {
    let bench = try await Bench()
    for opt in ["adamw", "adamw", "ad am"] {
      var patch = RunPatch()
      patch.config = ["opt": .string(opt), "loss": 1]
      patch.tags = ["ablation"]
      let id = try await bench.run(with: patch)
      try await bench.append([row(0, ["loss": 1, "val/loss": 1, "my metric": 2])], to: id)
    }
    func texts(_ text: String) async throws -> [String] {
      try await bench.store.read {
        try $0.advice(on: text, project: "digits", at: nil, only: nil, now: noon).suggestions.map(\.text)
      }
    }
    #expect(try await texts("st").prefix(2) == ["state", "started"])
    #expect(try await texts("loss") == ["loss", "val/loss", "config.loss"])
    #expect(try await texts("val/loss.").contains("val/loss.best"))
    #expect(try await texts("my") == ["`my metric`"])
    #expect(try await texts("opt=") == ["adamw", "\"ad am\""])
    #expect(try await texts("opt in (ad") == ["adamw", "\"ad am\""])
    #expect(try await texts("state:fin") == ["finished"])
    #expect(try await texts("tag:") == ["ablation"])
    #expect(try await texts("project:") == ["digits"])
    #expect(try await texts("loss ").contains("<="))
    #expect(try await texts("loss ex") == ["exists"])
    let wrong = try await bench.store.read {
      try $0.advice(on: "opt=adamw los<1", project: nil, at: 3, only: nil, now: noon)
    }
    #expect(wrong.error?.range == FilterRange(10, 13))
    #expect(wrong.canonical == "opt = adamw los < 1")
    #expect(wrong.clauses.map(\.range) == [FilterRange(0, 9), FilterRange(10, 15)])
    #expect(wrong.range == FilterRange(0, 3))
  }

  /// What SQLite reads for the questions that have to be quick.
  @Test func `plans use the indexes that are meant`() async throws {
    let bench = try await FilterBench(seed: 21, runs: 20)
    try await bench.bench.store.read { reader in
      func plan(_ filter: String, _ sort: String, bound: Int) throws -> String {
        var query = RunQuery(project: "digits", order: try #require(RunQuery.Order(sort)))
        query.filter = try ParsedFilter(filter).expression
        var question = try RunQuestion(reader, query)
        question.driverBound = bound
        let seen = Recorder()
        reader.db.trace { event in
          if case .statement(let statement) = event { seen.add(statement.expandedSQL) }
        }
        _ = try question.page(PageRequest())
        reader.db.trace(nil)
        let statements = seen.all.filter { $0.contains("ORDER BY") && !$0.contains("NOT EXISTS") }
        let lines = try statements.flatMap { sql in
          try Row.fetchAll(reader.db, sql: "EXPLAIN QUERY PLAN \(sql)").map { $0["detail"] as String }
        }
        return lines.joined(separator: "\n")
      }
      let walk = try plan("seed > -100", "loss.best", bound: 1)
      #expect(walk.hasPrefix("SEARCH s USING COVERING INDEX metric_summary_best (key_id=?"), "\(walk)")
      #expect(walk.contains("SEARCH run USING INTEGER PRIMARY KEY"))
      #expect(!walk.contains("TEMP B-TREE"), "the order is the index's: \(walk)")
      let back = try plan("seed > -100", "-loss.min", bound: 1)
      #expect(back.contains("metric_summary_min") && !back.contains("TEMP B-TREE"), "\(back)")
      let driven = try plan("seed > -100", "loss.best", bound: 3_000)
      #expect(driven.contains("config_value_by_value (key_id=? AND value>? AND value<?)"), "\(driven)")
      #expect(driven.contains("SEARCH s USING PRIMARY KEY (run_id=? AND key_id=?)"), "\(driven)")
      let config = try plan("loss < 5", "lr", bound: 1)
      #expect(
        config.contains("config_value_by_value (key_id=?") && !config.contains("TEMP B-TREE"), "\(config)")
      let byMetric = try plan("loss.min < 5", "-created", bound: 3_000)
      #expect(byMetric.contains("metric_summary_min (key_id=? AND min>? AND min<?)"), "\(byMetric)")
      let byName = try plan("seed > -100", "name", bound: 1)
      #expect(byName.contains("run_by_name (project_id=?") && !byName.contains("TEMP B-TREE"), "\(byName)")
      let byTag = try plan("tag:b", "-created", bound: 3_000)
      #expect(byTag.contains("run_tag_by_tag (tag=?)"), "\(byTag)")
    }
  }
}

/// Statements that a connection has run.
private final class Recorder: Sendable {
  private let list = Mutex<[String]>([])
  var all: [String] { list.withLock { $0 } }
  func add(_ sql: String) { list.withLock { $0.append(sql) } }
}
