// Questions at their limits: as deep, long and slow as they may be, and many at once.

import Foundation
import GRDB
import MartletModel
import MartletSeries
import MartletTestSupport
import OrderedCollections
import Synchronization
import Testing

@testable import MartletStore

@Suite struct QuestionTests {
  private static let leaves = [
    "state:lost", "lr<1", "lr in (1, nan, adam)", "loss.best<5", "loss.mean<5", "loss.@1<5", "gap.best<1",
    "gap exists", "summary.top!=1", "duration<600", "created>-2h", "tag!=a", "tag~\"^a\"", "sweep!=x",
    "device!=1",
    "name!~x", "user!=x", "project in (digits, x)", "\"owl\"", "host exists", "started in (-1h, -2h, -3h)",
  ]

  /// Filters that are as deep as may be, each in another way.
  private static func deepest(_ leaf: String) -> [String] {
    let depth = FilterLimits.depth
    func nested(_ count: Int, _ around: (String) -> String) -> String {
      (0..<count).reduce(leaf) { inner, _ in around(inner) }
    }
    /// Two deep parts side by side as long as there is room for both.
    func bushy(_ depth: Int, _ width: Int) -> String {
      guard depth > 0 else { return leaf }
      guard width > 0 else { return "(\(leaf) or \(leaf) \(bushy(depth - 1, 0)))" }
      return "(\(bushy(depth - 1, width - 1)) \(bushy(depth - 1, width - 1)) or \(leaf))"
    }
    let room = FilterLimits.length / (leaf.utf8.count + 6)
    return [
      nested(depth) { "(\($0))" }, nested(depth) { "not \($0)" },
      nested(depth / 2) { "not (\(leaf) or \($0))" },
      nested(depth / 3) { "not (\(leaf) (\(leaf) or \($0)))" },
      nested(depth) { "\(leaf) (\(leaf) or \($0))" }, nested(depth) { "(\($0) \(leaf) or \(leaf))" },
      bushy(depth, room > 450 ? 3 : room > 240 ? 2 : room > 125 ? 1 : 0),
    ]
  }

  /// Whatever the parser takes is answered, by every plan: also the deepest filters, of every kind of condition.
  @Test(arguments: leaves)
  func `as deep as may be`(leaf: String) async throws {
    let bench = try await FilterBench(seed: 31, runs: 12)
    let me = bench.bench.me
    // One that has whatever is asked for.
    var patch = RunPatch()
    (patch.config, patch.summary) = (["lr": 0.5, "seed": 1], ["top": 3])
    (patch.tags, patch.host) = (["a"], "alpha")
    patch.metrics = ["loss": MetricDefinition(name: "loss", goal: .minimize)]
    let whole = try await bench.bench.run("owl", with: patch)
    try await bench.bench.append([row(0, ["loss": 1]), row(1, ["loss": 0.5])], to: whole)
    for project in ["digits", "letters"] {
      _ = try await bench.bench.store.write {
        _ = try $0.defineDerived(
          NewDerivedMetric(
            name: "gap", expression: "loss - 1", goal: project == "digits" ? .minimize : .maximize),
          inProject: project, by: me, now: noon)
      }
    }
    try await bench.bench.store.settleDerived()
    try await bench.bench.store.read { reader in
      let filters = Self.deepest(leaf)
      let orders = [("created", 3_000), ("-loss.best", 1), ("gap", 3_000), ("lr", 1), ("loss.@1", 3_000)]
      for (place, text) in filters.enumerated() {
        let expression = try ParsedFilter(text).expression
        var expected: Set<PublicID>?
        for (sort, bound) in place == filters.count - 1 ? orders[...] : orders.prefix(1) {
          var query = RunQuery(order: try #require(RunQuery.Order(sort)))
          query.filter = expression
          query.now = FilterBench.now
          var question = try RunQuestion(reader, query)
          question.driverBound = bound
          let rows = try reader.limited(seconds: 120) { try question.page(PageRequest(limit: 1_000)).rows }
          let found = Set(try rows.map { try reader.run(row: $0).id })
          #expect(found == expected ?? found, "\(sort): \(text)")
          expected = found
          // Values at steps are no part of what the evaluator knows.
          guard let filter = question.filter, !filter.asksForSteps else { continue }
          let evaluator = FilterEvaluator(filter, now: query.now)
          let runs = try reader.runs(RunQuery(), PageRequest(limit: 1_000)).items
          #expect(found == Set(runs.filter(evaluator.holds).map(\.id)), "\(sort): \(text)")
          #expect(try reader.count(query).total == found.count)
        }
        guard place == filters.count - 1 else { continue }
        let grouping = RunGrouping(
          by: [try #require(FilterField("lr"))], values: [try #require(FilterField("loss"))])
        var query = RunQuery()
        query.filter = expression
        query.now = FilterBench.now
        let groups = try reader.groups(query, grouping, PageRequest(limit: 1_000)).items
        #expect(groups.map(\.count.total).reduce(0, +) == expected?.count, "\(text)")
      }
    }
  }

  /// Lists and chains as long as may be.
  @Test func `as long as may be`() async throws {
    let bench = try await FilterBench(seed: 32, runs: 12)
    let times = (1...FilterLimits.values).map { "-\($0 * 3)s" }.joined(separator: ",")
    let numbers = (1...FilterLimits.values).map(String.init).joined(separator: ",")
    let filters = [
      "started in (\(times))",
      "\((0..<400).map { "seed=\($0)" }.joined(separator: " or ")) or started in (\(times))",
      "not started in (\(times))", "lr in (\(numbers))", "sweep in (\(numbers)) or tag in (\(numbers))",
      (0..<FilterLimits.clauses).map { "seed=\($0)" }.joined(separator: " or "),
      (0..<FilterLimits.clauses).map { "seed!=\($0 + 3)" }.joined(separator: " "),
      (0..<FilterLimits.clauses).map { "(lr=\($0) seed<9)" }.prefix(250).joined(separator: " or "),
      "created in (\(Array(repeating: "-1h", count: FilterLimits.values).joined(separator: ",")))",
    ]
    try await bench.bench.store.read { reader in
      for text in filters {
        var query = RunQuery(project: "digits")
        query.filter = try ParsedFilter(text).expression
        query.now = FilterBench.now
        let found = try reader.runs(query, PageRequest(limit: 1_000)).items.map(\.id)
        let filter = try #require(try RunQuestion(reader, query).filter)
        let evaluator = FilterEvaluator(filter, now: query.now)
        #expect(
          found == bench.runs.filter { $0.project == "digits" && evaluator.holds(for: $0) }.map(\.id),
          "\(text.prefix(60))")
        #expect(try reader.count(query).total == found.count)
      }
    }
  }

  /// One step of SQLite's machine may search a long text for long: the search itself looks at the clock.
  @Test func `no expression takes for ever`() async throws {
    let bench = try await Bench()
    var dice = Dice(state: 3)
    for _ in 0..<20 {
      var patch = RunPatch()
      let text = (0..<4_096).map { _ in Bool.random(using: &dice) ? "a" : "b" }.joined()
      patch.config = ["note": .string(text)]
      _ = try await bench.run(with: patch)
    }
    var query = RunQuery()
    query.filter = try ParsedFilter("note ~ \"[ab]*a[ab]{900}c\"").expression
    let asked = query
    let refused = try await problem(.unprocessable) {
      _ = try await bench.store.read { reader in try reader.limited(seconds: 0.01) { try reader.count(asked) }
      }
    }
    #expect(refused.message.contains("ended"))
  }

  /// Two at a time; what is short, and what is read or written for others, never waits for them.
  @Test func `long questions take turns`() async throws {
    let bench = try await Bench()
    let run = try await bench.run()
    let gate = Gate()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<5 {
        group.addTask {
          try await bench.store.ask { reader in
            if reader.isHasty { throw Unanswered() }
            gate.pass()
          }
        }
      }
      try await eventually("two are being answered") { gate.inside == 2 }
      for _ in 0..<4 {
        #expect(try await bench.store.ask { try $0.count(RunQuery()).total } == 1)
        #expect(try await bench.store.read { try $0.run(run) } != nil)
        try await bench.append([row(0, ["loss": 1])], to: run)
      }
      #expect(gate.inside == 2 && gate.most == 2)
      gate.open()
      try await group.waitForAll()
    }
    #expect(gate.most == 2 && gate.passed == 5)
    // A question that has its answer at once is asked once.
    let asked = Tally()
    try await bench.store.ask { _ in asked.add() }
    #expect(asked.count == 1)
  }

  /// Beyond a bound nobody waits.
  @Test func `no queue without an end`() async throws {
    let turns = Turns(1, waitingLimit: 1)
    let gate = Gate()
    let refused = Tally()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<3 {
        group.addTask {
          do {
            try await turns.run {
              await withCheckedContinuation { done in
                DispatchQueue.global().async {
                  gate.pass()
                  done.resume()
                }
              }
            }
          } catch let problem as Problem where problem.code == .unavailable {
            refused.add()
          }
        }
      }
      try await eventually("one is refused") { refused.count == 1 }
      gate.open()
      try await group.waitForAll()
    }
    #expect(gate.passed == 2 && gate.most == 1 && refused.count == 1)
  }

  // MARK: - Steps

  /// Points are read once for each metric and step, and of those runs alone that all the rest leaves.
  @Test func `values at a step are read once`() async throws {
    let bench = try await Bench()
    let me = bench.me
    var ids: [PublicID] = []
    for number in 0..<6 {
      var patch = RunPatch()
      patch.config = ["lr": .int(Int64(number))]
      let id = try await bench.run("run-\(number)", in: number == 5 ? "letters" : "digits", with: patch)
      try await bench.append([row(0, ["loss": 1]), row(1, ["loss": Double(number)])], to: id)
      ids.append(id)
    }
    let gone = ids[4]
    try await bench.store.write { try $0.trash(gone, by: me, now: noon) }
    func names(_ filter: String, limit: Int) async throws -> [String] {
      try await bench.store.read { reader in
        var query = RunQuery(project: "digits", order: try #require(RunQuery.Order("-loss.@1")))
        query.filter = try ParsedFilter(filter).expression
        let question = try RunQuestion(reader, query)
        question.sql.steps.limit = limit
        let lists = Tally()
        reader.db.trace { event in
          if case .statement(let statement) = event, statement.sql.contains("last_step >=") {
            lists.add()
          }
        }
        let rows = try question.page(PageRequest()).rows
        reader.db.trace(nil)
        #expect(lists.count == 1, "\(filter)")
        return try rows.map { try reader.run(row: $0).name }
      }
    }
    #expect(try await names("loss.@1 < 3 or loss.@1 = 3", limit: 4) == ["run-3", "run-2", "run-1", "run-0"])
    #expect(try await names("lr < 2 loss.@1 exists not loss.@1 = 0", limit: 2) == ["run-1"])
    _ = try await problem(.unprocessable) { _ = try await names("loss.@1 < 3", limit: 3) }
  }

  // MARK: - Pages

  /// What is running grows older from page to page: all pages are of the time of the first one.
  @Test(arguments: ["duration", "-duration"])
  func `pages while time goes by`(sort: String) async throws {
    let bench = try await Bench()
    let me = bench.me
    var ids: [PublicID] = []
    for number in 0..<20 {
      let started = noon + Double(number * 10)
      ids.append(
        try await bench.store.write {
          try $0.createExternalRun(project: "digits", name: "run-\(number)", RunPatch(), by: me, now: started)
            .id
        })
    }
    var now = noon + 1_000
    var query = RunQuery(order: try #require(RunQuery.Order(sort)))
    query.filter = try ParsedFilter("started > -995s").expression
    var joined: [PublicID] = []
    var cursor: String?
    repeat {
      query.now = now
      let (asked, request) = (query, PageRequest(limit: 3, cursor: cursor))
      let page = try await bench.store.read { try $0.runs(asked, request) }
      joined += page.items.map(\.id)
      cursor = page.next
      now = now + 25
      // One that is still to come ends meanwhile.
      if let left = ids.first(where: { !joined.contains($0) && $0 != ids[0] }) {
        let end = now
        let exit = ExitRecord(code: 0, signal: nil, reason: "Ended.")
        try await bench.store.write { try $0.setRunState(left, .finished, exit: exit, by: me, now: end) }
      }
    } while cursor != nil && joined.count < 100
    #expect(joined == (sort == "duration" ? ids.dropFirst().reversed() : Array(ids.dropFirst())))
    for cursor in ["v1.i5@", "v1.i5@x", "v1.i5@-1", "v1.i5@9223372036854775807", "v1.i5@1@2", "@5"] {
      let asked = query
      _ = try await problem(.badRequest) {
        _ = try await bench.store.read { try $0.runs(asked, PageRequest(cursor: cursor)) }
      }
    }
  }

  /// A filter that would be larger than a filter may be is none; those that are there find their groups.
  @Test func `filters of groups with long keys`() async throws {
    let bench = try await Bench()
    for size in [10, 4_096] {
      var patch = RunPatch()
      let text = String(repeating: "\"", count: size)
      patch.config = .object(JSONObject((0..<4).map { ("k\($0)", .string(text)) }, uniquingKeysWith: { $1 }))
      _ = try await bench.run(with: patch)
    }
    let by = try (0..<4).map { try #require(FilterField("k\($0)")) }
    var query = RunQuery()
    let grouping = RunGrouping(by: by, sort: by[0], isDescending: false)
    let plain = query
    let groups = try await bench.store.read { try $0.groups(plain, grouping, PageRequest()) }.items
    #expect(groups.map { $0.filter == nil } == [false, true])
    query.filter = try ParsedFilter(try #require(groups[0].filter).description).expression
    let asked = query
    #expect(try await bench.store.read { try $0.count(asked) }.total == 1)
    // As many conditions as may be leave no room for the group's.
    query.filter = .and(Array(repeating: .exists(by[0]), count: FilterLimits.clauses))
    let full = query
    let none = try await bench.store.read { try $0.groups(full, grouping, PageRequest()) }.items
    #expect(none.count == 2 && none.allSatisfy { $0.filter == nil })
  }
}

/// Counts from any thread.
final class Tally: Sendable {
  private let state = Mutex(0)

  var count: Int { state.withLock { $0 } }

  func add() { state.withLock { $0 += 1 } }
}

/// Holds threads until it is opened.
private final class Gate: Sendable {
  private let state = Mutex((isOpen: false, inside: 0, most: 0, passed: 0))
  private let condition = NSCondition()

  var inside: Int { state.withLock { $0.inside } }
  var most: Int { state.withLock { $0.most } }
  var passed: Int { state.withLock { $0.passed } }

  func pass() {
    state.withLock { state in
      state.inside += 1
      state.most = max(state.most, state.inside)
    }
    condition.lock()
    while !state.withLock({ $0.isOpen }) { condition.wait() }
    condition.unlock()
    state.withLock { state in
      state.inside -= 1
      state.passed += 1
    }
  }

  func open() {
    condition.lock()
    state.withLock { $0.isOpen = true }
    condition.broadcast()
    condition.unlock()
  }
}
