// What a filter means: names looked up, values read, and the answer for one run.

import MartletModel
import OrderedCollections
import Testing

@Suite struct FilterMeaningTests {
  private struct Catalog: FilterCatalog {
    var metrics: Set<String> = ["loss", "val/loss", "lr", "loss.min", "name"]
    var configs: Set<String> = [
      "lr", "opt", "optimizer.name", "seed", "note", "layers", "empty", "flag", "big", "nan",
    ]

    func hasMetric(_ name: String) -> Bool { metrics.contains(name) }
    func hasDerived(_ name: String) -> Bool { name == "gap" }
    func hasConfig(_ path: String) -> Bool { configs.contains(path) }
    func hasSummary(_ name: String) -> Bool { name == "top" }
    func names() -> [String] { (metrics.sorted() + configs.sorted()) + ["gap", "top"] }
  }

  /// 2026-11-21 12:00 UTC.
  private static let noon = Timestamp(microseconds: 1_795_262_400_000_000)

  private var run: Run {
    let id = PublicID(rawValue: "abcd1234")
    var run = Run(
      id: id ?? .random(), project: "digits", name: "Swift-finch-1", state: .running,
      createdAt: Self.noon + -3_600, createdBy: "local")
    run.config = [
      "lr": 0.1, "opt": "adamw", "optimizer": ["name": "lion"], "seed": 3, "note": nil, "layers": [64, 64],
      "empty": [:], "flag": true, "big": 9_007_199_254_740_993, "nan": "NaN",
    ]
    run.tags = ["ablation", "Größe"]
    run.notes = "Try AdamW again"
    run.group = "7"
    run.startedAt = Self.noon + -1_800
    run.devices = [0, 2]
    var loss = MetricSummary(name: "loss", value: 3, step: 0, time: Self.noon)
    loss.add(1, step: 1, time: Self.noon)
    loss.add(.nan, step: 2, time: Self.noon)
    loss.goal = .minimize
    run.metrics = [loss, MetricSummary(name: "val/loss", value: 0.5, step: 1, time: Self.noon)]
    run.summaryValues = [SummaryValue(name: "top", value: 5, setAt: Self.noon)]
    return run
  }

  private func resolve(_ text: String) throws -> ResolvedFilter {
    try FilterResolver(catalog: Catalog(), now: Self.noon).resolve(try ParsedFilter(text).expression)
  }

  @Test(arguments: [
    "", "config.lr=0.1 or lr=7", "config.lr=0.1", "config.lr<=0.1 config.lr>=1e-1", "opt=adamw", "opt:adamw",
    "opt=\"adamw\"",
    "opt in (lion, adamw)", "optimizer.name=lion", "seed=3.0", "seed in (1,2,3)", "seed<10k",
    "seed=3 seed!=4",
    "note=null", "note exists", "not note=0", "layers=\"[64,64]\"", "layers~64", "empty exists", "flag=true",
    "not flag=1", "flag!=1", "big=9007199254740993", "not big=9007199254740992", "big>9007199254740992",
    "nan=nan", "nan!=1", "not nan<1", "not nan>1", "opt<b opt>a", "not opt<1", "not opt>1", "opt!=5",
    "loss=nan", "loss!=3", "not loss<3", "loss.min=1", "loss.max=3", "loss.best=1", "loss.mean=2",
    "loss.last exists",
    "not val/loss.best exists", "val/loss<0.6", "not `loss.min` exists", "not gap exists", "not gap<1",
    "not gap!=1",
    "top=5", "summary.top=5", "state:running", "state!=failed", "state in (running,lost)", "state~^run",
    "name=Swift-finch-1", "name~finch", "name!~owl", "id:abcd1234", "project:digits", "group:7", "group=7",
    "not job exists", "not job!=x", "not job=x", "user:local", "not host~x", "tag:ablation", "tag!=x",
    "not tag!=ablation",
    "tag~Gr", "tag!~x", "not tag!~abl", "tag exists", "tag in (x, ablation)", "device:0", "device=2",
    "device!=1",
    "device>1", "not device!=2", "duration=1800", "duration=30m", "duration<1h", "duration>=0.5h",
    "created>-2h", "created<-30m", "created:2026-11-21", "created!=2026-11-20", "created>=2026-11-21",
    "not created>2026-11-21", "started>2026-11-21T11:00", "started=2026-11-21T11:30:00Z",
    "started=2026-11-21T13:30+02:00",
    "started:2026-11", "started in (2025-01-01, 2026-11-21)", "created=1795258800000000", "not ended exists",
    "not ended!=2026-11-21", "not sweep exists", "not flow exists", "\"FINCH\"", "\"adamw AGAIN\"", "\"abl\"",
    "not \"owl\"", "\"\"", "opt in (\"adamw\") and not (seed=4 or flag=false)", "name~\"(?i)SWIFT\"",
  ])
  func `holds for the run`(_ text: String) throws {
    #expect(FilterEvaluator(try resolve(text), now: Self.noon).holds(for: run), "\(text)")
    let opposite = text.isEmpty ? "not (name exists)" : "not (\(text))"
    #expect(!FilterEvaluator(try resolve(opposite), now: Self.noon).holds(for: run), "\(opposite)")
  }

  @Test(arguments: [
    ("lr<1", "metric"), ("config.lr<1", "config"), ("`lr`<1", "metric"), ("loss.min<1", "metric loss min"),
    ("`loss.min`<1", "metric loss.min last"), ("name=x", "attribute"), ("`name`<1", "metric name last"),
    ("gap.max<1", "derived gap max"), ("loss.@100<1", "metric loss @100"), ("top=1", "summary"),
  ])
  func `a name means one thing`(_ text: String, _ expected: String) throws {
    guard case .test(let subject, _) = try resolve(text) else {
      Issue.record("no single test")
      return
    }
    let words =
      switch subject {
      case .attribute: "attribute"
      case .config: "config"
      case .summary: "summary"
      case .metric(let name, let aggregate): "metric \(name) \(aggregate.text)"
      case .derived(let name, let aggregate): "derived \(name) \(aggregate.text)"
      }
    #expect(words.hasPrefix(expected))
  }

  @Test(arguments: [
    ("val/los<1", 0, 7, "'val/loss'"), ("state:runing", 6, 12, "'running'"),
    ("optimiser.name=x", 0, 14, "'optimizer.name'"),
    ("state<running", 0, 5, "state in"), ("val/loss=abc", 9, 12, "exists"),
    ("val/loss=null", 9, 13, "exists"),
    ("val/loss~1", 0, 8, "Use ="), ("created=yesterday", 8, 17, "-2d"), ("created=2026-02-30", 8, 18, "-2d"),
    ("created=2026", 8, 12, "-2d"), ("duration=long", 9, 13, "90s"), ("duration=\"5\"", 9, 12, "90s"),
    ("device=gpu", 7, 10, "number"), ("name~(", 5, 6, ""), ("name~\"(\"", 5, 8, "\\("),
    ("name~\"(?=x)\"", 5, 12, "(?: )"), ("name~\"a{2,1}\"", 5, 13, ""), ("name~\"\\b\"", 5, 9, "\\d"),
    ("config.nothing=1", 0, 14, "double quotes"), ("nothing.else.at.all=1", 0, 19, "fields"),
  ])
  func `what is refused`(_ text: String, _ from: Int, _ to: Int, _ hint: String) throws {
    let error = try #require(throws: FilterError.self) { try resolve(text) }
    if text != "name~(" { #expect(error.range == FilterRange(from, to), "\(error)") }
    #expect(error.description.contains(hint), "\(error)")
  }

  /// What is written for a field or a value reads as just that.
  @Test func `written names and values`() throws {
    for name in [
      "loss", "loss.min", "in", "val loss", "a`b", "state", "config.x", "", "größe", "a=b", "val/loss",
    ] {
      for aggregate in FilterAggregate.named + [.at(5)] {
        let field = FilterField.metric(name, aggregate)
        #expect(FilterField(field.text) == field, "\(field.text)")
        let catalog = Catalog(metrics: [name], configs: [name])
        let resolver = FilterResolver(catalog: catalog, now: Self.noon)
        #expect(try resolver.subject(of: field) == .metric(name, aggregate), "\(field.text)")
      }
      let field = FilterField.config(name, isAlone: false)
      let resolver = FilterResolver(catalog: Catalog(metrics: [name], configs: [name]), now: Self.noon)
      #expect(
        try resolver.subject(of: try #require(FilterField(field.text))) == .config(name), "\(field.text)")
    }
    let values: [FilterScalar] = [
      .null, .bool(true), .notANumber, .number(.int(.min)), .number(.double(-.infinity)),
      .number(.double(1e-300)),
      .text("adamw"), .text("1e-3"), .text("10k"), .text("true"), .text("NULL"), .text(""), .text("a b"),
      .text("a\"\\b"),
      .text("it's"), .text("'x'"), .text("=x"), .text("-2d"), .text("inf"), .text("a,b"), .text("`x`"),
    ]
    for value in values {
      let literal = FilterLiteral.exactly(value)
      guard case .test(_, .compare(.equal, let read)) = try resolve("opt = \(literal.source)") else {
        Issue.record("\(literal.source)")
        continue
      }
      #expect(read.equals(value), "\(literal.source)")
    }
  }

  @Test func `numbers compare exactly`() {
    let numbers: [FilterNumber] = [
      .double(-.infinity), .double(-0x1p63), .int(.min + 1), .int(-2), .double(-1.5), .int(-1), .int(0),
      .double(0.5),
      .int(1), .double(1.5), .int(9_007_199_254_740_992), .int(9_007_199_254_740_993),
      .double(9_007_199_254_740_994), .int(.max), .double(0x1p63), .double(.infinity),
    ]
    for (i, a) in numbers.enumerated() {
      for (j, b) in numbers.enumerated() {
        #expect(FilterNumber.order(a, b).signum() == (i < j ? -1 : i > j ? 1 : 0), "\(a) \(b)")
      }
    }
    #expect(FilterNumber.order(.int(.min), .double(-0x1p63)) == 0)
  }

  @Test func `paths of a configuration`() {
    let leaves = ConfigLeaves.leaves(of: [
      "a": ["b": 1, "c": ["d": "x"]], "a.b": 2, "e": [:], "f": [1, [2]], "cafe\u{301}": "e\u{301}",
      "g": .double(.nan),
    ])
    #expect(leaves.map(\.path) == ["a.b", "a.c.d", "e", "f", "caf\u{e9}", "g"])
    #expect(
      leaves.map(\.value) == [
        .number(.int(1)), .text("x"), .text("{}"), .text("[1,[2]]"), .text("\u{e9}"), .notANumber,
      ])
    let long = ConfigLeaves.leaves(of: ["t": .string(String(repeating: "é", count: 5_000))])
    #expect(long[0].value == .text(String(repeating: "é", count: 2_048)))
    let many = JSONValue.object(
      JSONObject((0..<11_000).map { ("k\($0)", .int(1)) }, uniquingKeysWith: { $1 }))
    #expect(ConfigLeaves.leaves(of: many).count == ConfigLeaves.limit)
  }

  /// Random trees of conditions that hold, do not hold, or are asked of what the run lacks.
  @Test func `flattened, a filter says the same`() throws {
    var generator = Numbers(state: 17)
    let leaves = ["lr=0.1", "not job=x", "job!=x", "seed=4", "\"finch\"", "tag!~x", "loss<0", "ended exists"]
    func tree(_ depth: Int) -> String {
      switch Int.random(in: 0..<(depth > 5 ? 1 : 5), using: &generator) {
      case 0: leaves.randomElement(using: &generator) ?? ""
      case 1: "not (\(tree(depth + 1)))"
      case 2, 3: "(\(tree(depth + 1)) \(tree(depth + 1)))"
      default: "(\(tree(depth + 1)) or \(tree(depth + 1)))"
      }
    }
    func isFlat(_ filter: ResolvedFilter) -> Bool {
      switch filter {
      case .and(let terms):
        terms.allSatisfy { if case .and = $0 { false } else { isFlat($0) } }
      case .or(let branches):
        branches.allSatisfy { if case .or = $0 { false } else { isFlat($0) } }
      case .not(.test), .not(.text), .test, .text: true
      case .not: false
      }
    }
    var held = 0
    for _ in 0..<2_000 {
      let text = tree(0)
      let filter = try resolve(text)
      let holds = FilterEvaluator(filter, now: Self.noon).holds(for: run)
      #expect(FilterEvaluator(filter.flattened, now: Self.noon).holds(for: run) == holds, "\(text)")
      #expect(isFlat(filter.flattened), "\(text)")
      held += holds ? 1 : 0
    }
    #expect(300..<1_700 ~= held, "both answers come: \(held)")
    #expect(try resolve("not name exists or lr=0.1").flattened.asksForSteps == false)
    #expect(try resolve("not (name exists or loss.@5=0.1)").flattened.asksForSteps)
  }
}
