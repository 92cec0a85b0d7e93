// Filters and sorts in the store, beside the plain meaning of the language.

import Foundation
import GRDB
import MartletModel
import MartletSeries
import MartletTestSupport
import OrderedCollections
import Testing

@testable import MartletStore

/// A store of random runs: configurations of all kinds of values, metrics with and without goals, tags, sweeps.
struct FilterBench: Sendable {
  let bench: Bench
  let runs: [Run]

  static let now = noon + 5_000

  init(seed: UInt64, runs count: Int) async throws {
    bench = try await Bench(sealing: .manual)
    var dice = Dice(state: seed)
    let me = bench.me
    for number in 0..<count {
      var patch = RunPatch()
      patch.config = Self.config(&dice)
      if Bool.random(using: &dice) {
        patch.tags = Array(["a", "b", "Ab c", "größe"].shuffled(using: &dice).prefix(2))
      }
      if Bool.random(using: &dice) { patch.notes = ["", "Some NOTES", "lr 0.1"].randomElement(using: &dice) }
      if Bool.random(using: &dice) { patch.group = ["g1", "g2", "7"].randomElement(using: &dice) }
      if Bool.random(using: &dice) { patch.host = ["alpha", "beta"].randomElement(using: &dice) }
      if Bool.random(using: &dice) {
        patch.metrics = [
          "l*": MetricDefinition(name: "l*", goal: Bool.random(using: &dice) ? .minimize : .maximize)
        ]
        if Bool.random(using: &dice) {
          patch.metrics?["loss"] = MetricDefinition(name: "loss", isHidden: true)
        }
      }
      if Int.random(in: 0..<4, using: &dice) == 0 { patch.summary = ["top": Self.value(&dice)] }
      let details = patch
      let started = noon + Double(Int.random(in: 0..<4_000, using: &dice))
      let name = "\(["Teal", "owl", "kite-x"][number % 3])-\(number % 7)"
      let id = try await bench.store.write { writer in
        try writer.createExternalRun(
          project: number % 3 == 0 ? "letters" : "digits", name: name, details, by: me, now: started
        ).id
      }
      var rows: [LogRow] = []
      for step in 0..<Int.random(in: 0...4, using: &dice) {
        var numbers: [(String, Double)] = []
        for key in ["loss", "acc", "x y"] where Bool.random(using: &dice) {
          numbers.append((key, dice.value()))
        }
        rows.append(
          LogRow(sequence: Int64(step), step: Int64(step), time: started, numbers: numbers, others: []))
      }
      if !rows.isEmpty { try await bench.append(rows, to: id) }
      if Bool.random(using: &dice) {
        let state: RunState = Bool.random(using: &dice) ? .finished : .failed
        let exit = ExitRecord(code: 0, signal: nil, reason: "Ended.")
        let end = started + Double(Int.random(in: 1..<900, using: &dice))
        try await bench.store.write { try $0.setRunState(id, state, exit: exit, by: me, now: end) }
      }
      // Changed again: what was there before must be gone.
      if Int.random(in: 0..<3, using: &dice) == 0 {
        var change = RunPatch()
        change.config = Self.config(&dice)
        change.tags = ["b"]
        change.summary = ["top": Bool.random(using: &dice) ? .null : 3]
        let final = change
        try await bench.store.write { try $0.patchRun(id, final, now: noon) }
      }
      if Int.random(in: 0..<6, using: &dice) == 0 {
        try await bench.store.write { _ = try $0.fork(id, step: 1, name: "fork", by: me, now: noon) }
      }
    }
    runs = try await bench.store.read { try $0.runs(RunQuery(), PageRequest(limit: 1_000)) }.items
  }

  private static func value(_ dice: inout Dice) -> JSONValue {
    switch Int.random(in: 0..<12, using: &dice) {
    case 0: .null
    case 1: .bool(.random(using: &dice))
    case 2: .double(.nan)
    case 3: .double(-.infinity)
    case 4: .string(["adam", "lion", "", "NaN", "größe", "3"].randomElement(using: &dice) ?? "")
    case 5: .array([1, "x"])
    case 6: .double(Double.random(in: -3...3, using: &dice))
    case 7: .int(9_007_199_254_740_993)
    case 8: .double(0.5)
    default: .int(Int64.random(in: -2...4, using: &dice))
    }
  }

  private static func config(_ dice: inout Dice) -> JSONValue {
    var members: JSONObject = [:]
    for key in ["lr", "opt", "seed", "my key"] where Int.random(in: 0..<4, using: &dice) > 0 {
      members[key] = value(&dice)
    }
    if Bool.random(using: &dice) { members["in"] = ["deep": value(&dice), "er": ["x": value(&dice)]] }
    return .object(members)
  }

  // MARK: - Random filters

  static func filter(_ dice: inout Dice, depth: Int = 0) -> FilterExpression {
    switch Int.random(in: 0..<(depth > 3 ? 6 : 12), using: &dice) {
    case 6: return .not(filter(&dice, depth: depth + 1))
    case 7, 8, 9:
      return .and((0..<Int.random(in: 2...3, using: &dice)).map { _ in filter(&dice, depth: depth + 1) })
    case 10, 11:
      return .or((0..<Int.random(in: 2...3, using: &dice)).map { _ in filter(&dice, depth: depth + 1) })
    case 0: return .exists(field(&dice))
    case 1:
      return .membership(field(&dice), (0..<Int.random(in: 1...3, using: &dice)).map { _ in literal(&dice) })
    case 2: return .text(["OWL", "n", "größe", "Ab C", "", "0.1"].randomElement(using: &dice) ?? "")
    default:
      return .comparison(
        field(&dice), FilterOperator.allCases.randomElement(using: &dice) ?? .equal, literal(&dice))
    }
  }

  static func field(_ dice: inout Dice) -> FilterField {
    let names = [
      "lr", "opt", "seed", "`my key`", "in.deep", "in.er.x", "config.lr", "summary.top", "top", "loss",
      "loss.min",
      "loss.max", "loss.best", "loss.mean", "acc", "acc.best", "`x y`.max", "state", "name", "id", "project",
      "group",
      "job", "tag", "user", "host", "created", "started", "ended", "duration", "sweep", "flow", "device",
    ]
    return FilterField(names.randomElement(using: &dice) ?? "") ?? .attribute(.name)
  }

  static func literal(_ dice: inout Dice) -> FilterLiteral {
    let words = [
      "0", "1", "-1", "0.5", "3", "9007199254740993", "nan", "inf", "-inf", "null", "true", "false", "adam",
      "lion",
      "größe", "a", "b", "g1", "7", "alpha", "digits", "running", "failed", "finished", "Teal-0", "tester",
      "-1h",
      "10m", "2026-11-21", "^[a-l]", "[0-9]$", "1e-3", "-2",
    ]
    let word = words.randomElement(using: &dice) ?? ""
    return Int.random(in: 0..<8, using: &dice) == 0
      ? FilterLiteral(.string(word)) : FilterLiteral(.word(word))
  }
}

@Suite struct FilterTests {
  /// The same runs from SQL as from asking each run, for 10,000 random filters in random scopes and by either plan.
  @Test(arguments: [1, 2, 3, 4])
  func `the store answers what the language means`(seed: UInt64) async throws {
    let bench = try await FilterBench(seed: seed, runs: 24)
    try await bench.bench.store.read { reader in
      // One question, so that expressions are read once.
      try reader.limited(seconds: 600) { try Self.compare(bench, reader, seed: seed) }
    }
  }

  private static func compare(_ bench: FilterBench, _ reader: StoreReader, seed: UInt64) throws {
    var dice = Dice(state: seed &* 77)
    var answered = 0
    var matched = 0
    // Reading a run takes longer than finding it.
    var ids: [Int64: PublicID] = [:]
    while answered < 2_500 {
      var query = RunQuery(project: Bool.random(using: &dice) ? "digits" : nil)
      let expression = FilterBench.filter(&dice)
      query.filter = expression
      query.now = FilterBench.now
      let resolved: ResolvedFilter
      do {
        var question = try RunQuestion(reader, query)
        question.driverBound = [1, 5, 3_000].randomElement(using: &dice) ?? 1
        resolved = try #require(question.filter)
        let (rows, _) = try question.page(PageRequest(limit: 1_000))
        let evaluator = FilterEvaluator(resolved, now: FilterBench.now)
        let expected = bench.runs.filter {
          (query.project == nil || $0.project == query.project) && evaluator.holds(for: $0)
        }
        for row in rows where ids[row] == nil { ids[row] = try reader.run(row: row).id }
        #expect(rows.compactMap { ids[$0] } == expected.map(\.id), "\(expression)")
        #expect(try reader.count(query).total == expected.count, "\(expression)")
        // What is printed is read as the same.
        #expect(try ParsedFilter(expression.description).expression.description == expression.description)
        answered += 1
        matched += expected.isEmpty ? 0 : 1
      } catch let problem as Problem {
        // A value that the field does not take, mostly.
        #expect(problem.code == .badRequest && problem.details["from"] != nil, "\(problem)")
      }
    }
    #expect(matched > 800, "the filters are worth asking: \(matched)")
  }

  /// Every field as an order, in both directions, page by page, beside a plain sort.
  @Test(arguments: [5, 6])
  func `orders and their pages`(seed: UInt64) async throws {
    let bench = try await FilterBench(seed: seed, runs: 30)
    try await bench.bench.store.read { reader in
      var dice = Dice(state: seed)
      let places = Dictionary(uniqueKeysWithValues: bench.runs.reversed().enumerated().map { ($1.id, $0) })
      // Reading a run takes longer than finding it.
      var ids: [Int64: PublicID] = [:]
      for _ in 0..<300 {
        let field = FilterBench.field(&dice)
        let isDescending = Bool.random(using: &dice)
        var query = RunQuery(
          project: Bool.random(using: &dice) ? "digits" : nil, order: .field(field, descending: isDescending))
        query.now = FilterBench.now
        query.filter =
          Bool.random(using: &dice) ? try ParsedFilter("seed < 3 or not lr exists").expression : nil
        var question = try RunQuestion(reader, query)
        question.driverBound = [1, 3_000].randomElement(using: &dice) ?? 1
        let subject = try FilterResolver(catalog: StoreCatalog(reader: reader, project: nil), now: query.now)
          .subject(of: field)
        let evaluator = FilterEvaluator(question.filter ?? .and([]), now: query.now)
        let runs = bench.runs.filter {
          (query.project == nil || $0.project == query.project) && evaluator.holds(for: $0)
        }
        func key(_ run: Run) -> FilterScalar? {
          switch subject {
          case .attribute(.sweep), .attribute(.flow), .attribute(.device): return nil
          default: break
          }
          let values = evaluator.values(of: subject, in: run).filter { $0 != .null && $0 != .notANumber }
          return values.min { ($0.order($1) ?? 0) < 0 }
        }
        func rank(_ value: FilterScalar) -> Int {
          switch value {
          case .number, .notANumber: 0
          case .text: 1
          case .bool, .null: 2
          }
        }
        func isBefore(_ a: Run, _ b: Run) -> Bool {
          let older = places[a.id, default: 0] < places[b.id, default: 0]
          guard let x = key(a), let y = key(b) else {
            return key(a) != nil || key(b) == nil && !older
          }
          var order = rank(x) - rank(y)
          if order == 0 { order = x.order(y) ?? 0 }
          if order == 0, case .bool(let p) = x, case .bool(let q) = y { order = (p ? 1 : 0) - (q ? 1 : 0) }
          if order == 0 { order = older ? -1 : 1 }
          return isDescending ? order > 0 : order < 0
        }
        var expected = runs.sorted(by: isBefore).map(\.id)
        if subject == .attribute(.created) {
          expected = isDescending ? runs.map(\.id) : runs.reversed().map(\.id)
        }
        var joined: [PublicID] = []
        var cursor: String?
        let limit = Int.random(in: 1...20, using: &dice)
        repeat {
          let (rows, next) = try question.page(PageRequest(limit: limit, cursor: cursor))
          for row in rows where ids[row] == nil { ids[row] = try reader.run(row: row).id }
          joined += rows.compactMap { ids[$0] }
          cursor = next
        } while cursor != nil
        #expect(joined == expected, "\(isDescending ? "-" : "")\(field.text)")
      }
    }
  }

  /// Runs come and go between two pages: none comes twice, and none that was there throughout is passed over.
  @Test func `pages of a list that changes`() async throws {
    let bench = try await Bench()
    let me = bench.me
    var ids: [PublicID] = []
    func add(_ loss: Double) async throws {
      let run = try await bench.run("run-\(ids.count)")
      try await bench.append([row(0, ["loss": loss])], to: run)
      ids.append(run)
    }
    for number in 0..<20 { try await add(Double(number % 5)) }
    let before = ids
    let order = try #require(RunQuery.Order("loss"))
    var joined: [PublicID] = []
    var cursor: String?
    repeat {
      let request = PageRequest(limit: 3, cursor: cursor)
      let page = try await bench.store.read { try $0.runs(RunQuery(order: order), request) }
      joined += page.items.map(\.id)
      cursor = page.next
      try await add(0)
      try await add(9)
      if let last = page.items.last?.id {
        try await bench.store.write { try $0.trash(last, by: me, now: noon) }
      }
    } while cursor != nil && joined.count < 200
    #expect(Set(joined).count == joined.count)
    #expect(Set(before).isSubset(of: joined))
    for cursor in ["v", "v1", "v1.", "v1.q", "v1.t0", "v1.tff", "v-1.i1", "n", "n-1", "r1", "x"] {
      let request = PageRequest(cursor: cursor)
      _ = try await problem(.badRequest) {
        _ = try await bench.store.read { try $0.runs(RunQuery(order: order), request) }
      }
    }
  }

  @Test func `best values follow their goals`() async throws {
    let bench = try await Bench()
    let run = try await bench.run()
    func best() async throws -> Double? {
      try await bench.store.read {
        try Double.fetchOne(
          $0.db, sql: "SELECT best FROM metric_summary JOIN metric_key ON id = key_id WHERE name = 'loss'")
      }
    }
    func define(_ metrics: OrderedDictionary<String, MetricDefinition?>) async throws {
      var patch = RunPatch()
      patch.metrics = metrics
      let change = patch
      try await bench.store.write { try $0.patchRun(run, change, now: noon) }
    }
    try await bench.append([row(0, ["loss": 2]), row(1, ["loss": 5])], to: run)
    #expect(try await best() == nil)
    try await define(["l*": MetricDefinition(name: "l*", goal: .minimize)])
    #expect(try await best() == 2)
    try await bench.append([row(2, ["loss": 1])], to: run)
    #expect(try await best() == 1)
    try await define(["loss": MetricDefinition(name: "loss", goal: .maximize)])
    #expect(try await best() == 5)
    try await bench.append([row(3, ["loss": 0]), row(4, ["loss": .infinity])], to: run)
    #expect(try await best() == .infinity)
    try await bench.store.write { _ = try $0.rewind(run, to: 1, by: bench.me, now: noon) }
    #expect(try await best() == 5)
    try await define(["loss": nil, "l*": nil])
    #expect(try await best() == nil)
  }

  /// `.@step`: as a condition, an order and a group's value.
  @Test func `values at a step`() async throws {
    let bench = try await Bench()
    for (name, values) in [
      ("a", [3.0, 1]), ("b", [3, 2, 5]), ("c", [0]), ("d", [1, .nan]), ("e", [1, .infinity]),
    ] {
      let run = try await bench.run(name)
      try await bench.append(values.enumerated().map { row(Int64($0), ["loss": $1]) }, to: run)
    }
    func names(_ filter: String, _ sort: String = "name") async throws -> [String] {
      var query = RunQuery(order: try #require(RunQuery.Order(sort)))
      query.filter = try ParsedFilter(filter).expression
      let asked = query
      return try await bench.store.read { try $0.runs(asked, PageRequest()) }.items.map(\.name)
    }
    #expect(try await names("loss.@1 < 3") == ["a", "b"])
    #expect(try await names("loss.@1 exists") == ["a", "b", "d", "e"])
    #expect(try await names("not loss.@1 > 1") == ["a", "c", "d"])
    #expect(try await names("loss.@1 = inf or loss.@2=5") == ["b", "e"])
    #expect(try await names("loss.@1 = nan") == ["d"])
    #expect(try await names("", "-loss.@1") == ["e", "b", "a", "d", "c"])
    let grouping = RunGrouping(by: [.attribute(.state)], values: [try #require(FilterField("loss.@0"))])
    let group = try #require(
      try await bench.store.read { try $0.groups(RunQuery(), grouping, PageRequest()) }.items.first)
    #expect(group.values[0].statistics?.mean == 1.6)
  }

  /// A question that would read for ever is ended, and the reader is well afterwards.
  @Test func `no question takes for ever`() async throws {
    let bench = try await Bench()
    let refused = try await problem(.unprocessable) {
      try await bench.store.read { reader in
        try reader.limited(seconds: 0.01) {
          _ = try Int.fetchOne(
            reader.db,
            sql: "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n")
        }
      }
    }
    #expect(refused.message.contains("ended"))
    #expect(try await bench.store.read { try Int.fetchOne($0.db, sql: "SELECT 1") } == 1)
  }

  /// However an accent is written, by whoever made the run or by whoever looks for it.
  @Test func `texts are found in either form`() async throws {
    var bench = try await Bench()
    let (one, two) = ("caf\u{e9}", "cafe\u{301}")
    var ids: [PublicID] = []
    for (number, word) in [one, two].enumerated() {
      var patch = RunPatch()
      (patch.notes, patch.tags, patch.group) = ("In the \(word)", [word], word)
      (patch.jobType, patch.host) = (word, word)
      ids.append(try await bench.run("\(word)-\(number)", with: patch))
    }
    let other = try await bench.run("tea")
    var edit = RunPatch()
    (edit.addTags, edit.group, edit.name) = ([two], two, "\(two)-2")
    let change = edit
    let me = bench.me
    try await bench.store.write { try $0.editRun(other, change, by: me, now: noon) }
    let fork = ids[1]
    _ = try await bench.store.write { try $0.fork(fork, step: nil, name: "\(two)-3", by: me, now: noon) }
    // Said again it is no change.
    let events = try await bench.store.read { try Int.fetchOne($0.db, sql: "SELECT count(*) FROM event") }
    try await bench.store.write { try $0.editRun(other, change, by: me, now: noon) }
    #expect(
      try await bench.store.read { try Int.fetchOne($0.db, sql: "SELECT count(*) FROM event") } == events)

    func count(_ filter: String, search: String? = nil) async throws -> Int {
      var query = RunQuery(search: search)
      query.filter = try ParsedFilter(filter).expression
      let asked = query
      return try await bench.store.read { try $0.count(asked).total }
    }
    for word in [one, two] {
      #expect(try await count("tag:\(word)") == 4)
      #expect(try await count("tag!=\(word)") == 0)
      #expect(try await count("group=\(word)") == 4)
      #expect(try await count("job:\(word) host:\(word)") == 2)
      #expect(try await count("job:\(word)") == 3)
      #expect(try await count("name ~ \"^\(word)\"") == 4)
      #expect(try await count("\"the \(word)\"") == 3)
      #expect(try await count("", search: word) == 4)
    }
    let grouping = RunGrouping(by: [.attribute(.tag), .attribute(.group)])
    let groups = try await bench.store.read { try $0.groups(RunQuery(), grouping, PageRequest()) }.items
    #expect(groups.map(\.count.total) == [4])
    #expect(try await count(try #require(groups[0].filter).description) == 4)

    // What an older version has kept as it came is brought into form.
    try await bench.store.write { writer in
      try writer.db.execute(
        sql: """
          UPDATE run SET name = 'x' || ?1, notes = ?1, group_name = ?1, job_type = ?1, host = ?1, tags = ?2
          """, arguments: [two, JSONValue([two, "tea", two]).text])
      try writer.db.execute(sql: "UPDATE principal SET name = ?", arguments: [two])
      try writer.db.execute(sql: "DELETE FROM grdb_migrations WHERE identifier = '7'")
    }
    #expect(try await count("tag:\(one)") == 0)
    bench = try bench.reopened()
    for filter in [
      "tag:\(one) tag:tea", "name=x\(one)", "group:\(one) job:\(one) host:\(one)", "\"\(one)\"",
      "user:\(one)",
    ] { #expect(try await count(filter) == 4, "\(filter)") }
    #expect(try await bench.show(ids[0]).tags == [one, "tea"])
    #expect(try await bench.store.integrity(deep: true) == [])
  }

  /// A configuration that grows value by value is not written anew each time.
  @Test func `only what differs is laid out`() async throws {
    let bench = try await Bench()
    var patch = RunPatch()
    patch.config = .object(
      JSONObject((0..<200).map { ("k\($0)", .int(Int64($0))) }, uniquingKeysWith: { $1 }))
    let run = try await bench.run(with: patch)
    func writes(_ config: JSONValue) async throws -> Int {
      var patch = RunPatch()
      patch.config = config
      let change = patch
      return try await bench.store.write { writer in
        let count = Tally()
        writer.db.trace { event in
          if case .statement(let statement) = event, statement.sql.contains(" config_value "),
            statement.sql.hasPrefix("INSERT") || statement.sql.hasPrefix("DELETE")
          {
            count.add()
          }
        }
        try writer.patchRun(run, change, now: noon)
        writer.db.trace(nil)
        return count.count
      }
    }
    #expect(try await writes(["k0": 0]) == 0)
    #expect(try await writes(["new": ["deep": 1, "er": 2]]) == 2)
    #expect(try await writes(["k1": "1", "k2": .double(.nan), "k3": 3]) == 2)
    #expect(try await writes(["k2": .double(.nan)]) == 0)
    #expect(try await writes(["new": nil]) == 3)
    func names(_ filter: String) async throws -> Int {
      var query = RunQuery()
      query.filter = try ParsedFilter(filter).expression
      let asked = query
      return try await bench.store.read { try $0.count(asked).total }
    }
    #expect(try await names("k1 = \"1\" k2 = nan k3 = 3 new = null k199 = 199") == 1)
    _ = try await problem(.badRequest) { _ = try await names("new.deep exists") }
  }
}
