// Early-stopping rules as sweep files write them.

public import MartletModel
public import OrderedCollections

extension StoppingRuleConfiguration {
  /// The values of `type`.
  public static let types = ["hyperband", "asha", "median", "percentile", "patience", "threshold"]

  /// Methods that are random search with a rule of the same name.
  public static let methods = ["median", "percentile", "asha", "hyperband"]

  /// Reads `early_terminate`: an object, or a list of them of which the first that stops a trial is heard.
  ///
  /// Steps (`min_iter`, `max_iter`, `interval`) are in the unit the program reports.
  ///
  /// | type | keys |
  /// |---|---|
  /// | `hyperband` | W&B's: `min_iter` (rungs at min_iter · eta^k) or `max_iter` with `s` (rungs at max_iter / eta^k, k = 1 … s, none below a min_iter), `eta` 3, `strict` false: true lets ⌊n/eta⌋ of n pass instead of one more, and judges again at every report. With `min_iter` and `max_iter` Hyperband proper: `brackets` of them, usually all whose first rung lies within the first quarter; trials are judged again at every report. |
  /// | `asha` | `max_iter` (no rung at or beyond it), `min_iter` a 25th of it or 1, `eta` 3, `strict` false, `brackets` 1, `mode`: `stop` or `pause` (pause at every rung, go on when among the best; needs programs that resume) |
  /// | `median` | `startup_trials` 5, `min_iter` 0, `interval` 1 |
  /// | `percentile` | `percentile` 25 (what is worse than the best 25 % ends), and those of `median` |
  /// | `patience` | `patience` (reports without a better one), `min_delta` 0, `min_iter` 0 |
  /// | `threshold` | `upper`, `lower`, `min_iter` 0; NaN always ends a trial, also without limits |
  ///
  /// - Throws: `SearchError.invalidOption` and `.unknownOption`, with the rule's type as the method and the key as the
  ///   name.
  public init(_ json: JSONValue, objectives: [Objective]) throws(SearchError) {
    if case .array(let items) = json {
      guard !items.isEmpty else { throw Self.refused("type", "is missing: the list of rules is empty") }
      var rules: [StoppingRuleConfiguration] = []
      for item in items { rules.append(try StoppingRuleConfiguration(item, objectives: objectives)) }
      self = rules.count == 1 ? rules[0] : .combined(rules)
      return
    }
    guard var members = json.object else {
      throw Self.refused(
        "type",
        "is missing: early_terminate is an object like {type: hyperband, min_iter: 3}, not \(json.kindInWords)"
      )
    }
    let names = Self.types.map { "'\($0)'" }.joined(separator: ", ")
    guard let type = members.removeValue(forKey: "type") else {
      throw Self.refused("type", "is missing: it is one of \(names)")
    }
    guard let name = type.string, Self.types.contains(name) else {
      let near =
        type.string.flatMap { nearest(to: $0, in: Self.types) }.map { "; did you mean '\($0)'?" } ?? ""
      throw Self.refused("type", "must be one of \(names), not \(type.text)\(near)")
    }
    if name == "hyperband", members["min_iter"] == nil, members["max_iter"] == nil {
      // A misspelt key is not told as a missing one.
      if let unknown = members.keys.first(where: { !Self.hyperbandKeys.contains($0) }) {
        throw .unknownOption(
          method: name, name: unknown, nearest: nearest(to: unknown, in: Self.hyperbandKeys),
          known: Self.hyperbandKeys)
      }
      throw .invalidOption(
        method: name, name: "min_iter",
        message: "is missing: give the step of the first comparison, or 'max_iter' and 's'")
    }
    try self.init(type: name, members, steps: nil)
    if case .percentile = self, objectives.count > 1 {
      throw Self.refused(
        "type",
        "'\(name)' compares one objective, and there are \(objectives.count): 'asha' and 'hyperband' rank several"
      )
    }
  }

  /// The rule that the method of this name brings with it; nil: it brings none.
  ///
  /// - Parameters:
  ///   - options: the keys of the rule of that type; none is needed.
  ///   - steps: how long the longest trial is; nil: nobody knows.
  /// - Throws: as `init(_:objectives:)`.
  public init?(method: String, options: JSONObject, steps: Int64?) throws(SearchError) {
    guard Self.methods.contains(method) else { return nil }
    try self.init(type: method, options, steps: steps)
  }

  private init(type: String, _ options: JSONObject, steps: Int64?) throws(SearchError) {
    var reader = OptionReader(options, of: type)
    switch type {
    case "median", "percentile":
      var rule = Percentile()
      if type == "percentile" { rule.percentile = try reader.double("percentile", default: 25, in: 0...100) }
      rule.startupTrials = try reader.int("startup_trials", default: 5, in: 1...1_000_000)
      rule.minIter = try reader.step("min_iter", default: steps.map { $0 / 20 } ?? 0, from: 0)
      rule.interval = try reader.step("interval", default: 1, from: 1)
      self = .percentile(rule)
    case "patience":
      guard options["patience"] != nil else {
        throw .invalidOption(
          method: type, name: "patience",
          message: "is missing: how many reports without a better one end a trial")
      }
      var rule = Patience(patience: try reader.int("patience", default: 1, in: 1...1_000_000_000))
      rule.minDelta = try reader.double("min_delta", default: 0, in: 0...Double.greatestFiniteMagnitude)
      rule.minIter = try reader.step("min_iter", default: 0, from: 0)
      self = .patience(rule)
    case "threshold":
      let all = -Double.greatestFiniteMagnitude...Double.greatestFiniteMagnitude
      var rule = Threshold()
      rule.lower = try reader.double("lower", default: -.infinity, in: all)
      rule.upper = try reader.double("upper", default: .infinity, in: all)
      rule.minIter = try reader.step("min_iter", default: 0, from: 0)
      guard rule.lower <= rule.upper else {
        throw .invalidOption(
          method: type, name: "lower",
          message: "must not be greater than upper, and \(rule.lower) is greater than \(rule.upper)")
      }
      self = .threshold(rule)
    case "asha": self = .halving(try Self.asha(&reader, steps: steps))
    default: self = .halving(try Self.hyperband(&reader, options, steps: steps))
    }
    try reader.finish()
  }

  private static func asha(_ reader: inout OptionReader, steps: Int64?) throws(SearchError) -> Halving {
    let end = try reader.step("max_iter", default: steps ?? 0, from: 1)
    let first = try reader.step("min_iter", default: usualFirst(end: end), from: 1)
    let eta = try reader.double("eta", default: 3, in: etas)
    let rungs = Rungs(from: first, eta: eta, end: end > 0 ? end : nil)
    guard !rungs.steps.isEmpty else { throw tooShort("asha", first: first, end: end) }
    var rule = Halving(rungs: rungs, eta: eta)
    rule.isPausing = try reader.choice("mode", default: HalvingRule.Manner.stop) == .pause
    rule.isStrict = try reader.bool("strict", default: false)
    rule.isRejudging = !rule.isPausing
    rule.brackets = try reader.int("brackets", default: 1, in: 1...rungs.steps.count)
    return rule
  }

  /// The first rung where none is given: a 25th of the way; 1 where the end is not known.
  ///
  /// This and the other defaults of `asha` and of Hyperband proper are the best of a few by simulation on learning
  /// curves of LCBench (52 epochs; two tasks, 40 random searches each, 4 trials at a time): in how many of these 80 runs
  /// the best fully trained loss that random search finds in 1,500 epochs was found within 500. Rungs from step 2 by 3,
  /// one more than the third passes, and who is on a rung is judged again as others come: 72. Judged again, with a third
  /// and no more: 66; the same judged once, as in the paper: 63. From step 1, where curves say little yet: 42 and 38;
  /// from step 3 with one more: 71, from step 5: 69. A base of 2: 72, of 4: 67. With two brackets 37 of 40, where one
  /// bracket has 36.
  private static func usualFirst(end: Int64) -> Int64 { max(1, end / 25) }

  private static func hyperband(
    _ reader: inout OptionReader, _ options: JSONObject, steps: Int64?
  ) throws(SearchError) -> Halving {
    let eta = try reader.double("eta", default: 3, in: etas)
    let isStrict = try reader.bool("strict", default: false)
    let end = try reader.step("max_iter", default: steps ?? 0, from: 1)
    let first = try reader.step("min_iter", default: usualFirst(end: end), from: 1)
    let halvings = try reader.int("s", default: 0, in: 1...100)
    let rungs: Rungs
    if halvings > 0 {
      guard end > 0 else {
        throw .invalidOption(
          method: "hyperband", name: "s", message: "counts rungs below 'max_iter', which is missing")
      }
      rungs = Rungs(below: end, eta: eta, count: halvings, atLeast: options["min_iter"] == nil ? 1 : first)
    } else {
      rungs = Rungs(from: first, eta: eta, end: end > 0 ? end : nil)
    }
    guard !rungs.steps.isEmpty else { throw tooShort("hyperband", first: first, end: end) }
    var rule = Halving(rungs: rungs, eta: eta)
    // W&B's forms judge every trial on every rung; with both ends given it is the method of the paper.
    let isProper = halvings == 0 && end > 0
    rule.brackets = try reader.int(
      "brackets", default: isProper ? Self.usefulBrackets(rungs, end: end) : 1, in: 1...rungs.steps.count)
    rule.isStrict = isStrict
    rule.isRejudging = isStrict || isProper
    return rule
  }

  /// A bracket whose trials are first judged beyond a quarter of the way spends about as much as all the others, and is
  /// little better than none: it is left out unless it is asked for.
  private static func usefulBrackets(_ rungs: Rungs, end: Int64) -> Int {
    max(1, rungs.steps.count { $0 <= end / 4 })
  }

  private static let etas = 1.5...1000.0
  private static let hyperbandKeys = ["min_iter", "max_iter", "s", "eta", "strict", "brackets"]

  private static func tooShort(_ type: String, first: Int64, end: Int64) -> SearchError {
    .invalidOption(
      method: type, name: "max_iter",
      message: "leaves no step to judge trials at: the first would be \(first), and they end at \(end)")
  }

  private static func refused(_ name: String, _ message: String) -> SearchError {
    .invalidOption(method: "early_terminate", name: name, message: message)
  }
}

extension OptionReader {
  /// A step: a whole number, `least` or more.
  fileprivate mutating func step(
    _ name: String, default usual: Int64, from least: Int
  ) throws(SearchError) -> Int64 {
    Int64(try int(name, default: Int(usual), in: least...(1 << 53)))
  }
}
