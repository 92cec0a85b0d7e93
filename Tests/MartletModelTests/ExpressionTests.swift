// Expressions of derived metrics: what they mean, how they are written, what is wrong with them and where.

import MartletModel
import OrderedCollections
import Testing

@Suite struct ExpressionTests {
  private typealias E = MetricExpression

  private func parse(_ text: String) throws -> MetricExpression { try MetricExpression(parsing: text) }

  @Test func `names hold slashes and dashes, operators have spaces around them`() throws {
    #expect(
      try parse("val/loss - train/loss") == .binary(.minus, .metric("val/loss"), .metric("train/loss")))
    #expect(try parse("val/loss-train/loss") == .metric("val/loss-train/loss"))
    #expect(try parse("a / b") == .binary(.over, .metric("a"), .metric("b")))
    #expect(try parse("(a)/(b)") == .binary(.over, .metric("a"), .metric("b")))
    #expect(try parse("2/a") == .binary(.over, .number(2), .metric("a")))
    #expect(try parse("a -b") == .binary(.minus, .metric("a"), .metric("b")))
    #expect(try parse("a*b") == .binary(.times, .metric("a"), .metric("b")))
    #expect(try parse("layer.0/w@max:p#1") == .metric("layer.0/w@max:p#1"))
    #expect(try parse("`a b` + `x``y`") == .binary(.plus, .metric("a b"), .metric("x`y")))
    #expect(try parse("`step` * step") == .binary(.times, .metric("step"), .step))
    #expect(try parse("Verlust_ä") == .metric("Verlust_ä"))
    // A letter and its accent are one letter.
    #expect(try parse("e\u{301}") == .metric("\u{E9}"))
  }

  @Test func `operators bind as in mathematics`() throws {
    let (a, b, c) = (E.metric("a"), E.metric("b"), E.metric("c"))
    #expect(try parse("a + b * c") == .binary(.plus, a, .binary(.times, b, c)))
    #expect(try parse("a - b - c") == .binary(.minus, .binary(.minus, a, b), c))
    #expect(try parse("a / b * c") == .binary(.times, .binary(.over, a, b), c))
    #expect(try parse("a ^ b ^ c") == .binary(.power, a, .binary(.power, b, c)))
    #expect(try parse("-a ^ b") == .negative(.binary(.power, a, b)))
    #expect(try parse("a ^ -b") == .binary(.power, a, .negative(b)))
    #expect(try parse("-a * b") == .binary(.times, .negative(a), b))
    #expect(try parse("a * - -b") == .binary(.times, a, .negative(.negative(b))))
    #expect(try parse(" ( ( a ) ) ") == a)
  }

  @Test func `numbers, configuration and functions`() throws {
    #expect(try parse("1e-3 * a") == .binary(.times, .number(0.001), .metric("a")))
    #expect(
      try parse(".5 * a + 2.") == .binary(.plus, .binary(.times, .number(0.5), .metric("a")), .number(2)))
    #expect(try parse("a * config.model.lr") == .binary(.times, .metric("a"), .config("model.lr")))
    #expect(try parse("a * config.`odd name`") == .binary(.times, .metric("a"), .config("odd name")))
    #expect(try parse("`config.lr`") == .metric("config.lr"))
    #expect(try parse("ema(a, 0.5)") == .call(.ema, [.metric("a"), .number(0.5)]))
    #expect(try parse("min ( a , b,1 )") == .call(.min, [.metric("a"), .metric("b"), .number(1)]))
    #expect(try parse("min + 1") == .binary(.plus, .metric("min"), .number(1)))
    #expect(try parse("a + b * a").metrics == ["a", "b"])
    #expect(try parse("ema(a) + 1").looksBack)
    #expect(try !parse("max(a, 1)").looksBack)
  }

  @Test(
    arguments: [
      ("", 0, 0), ("   ", 3, 3), ("a +", 3, 3), ("a + * b", 4, 5), ("a b", 2, 3), ("(a", 0, 1), ("a)", 1, 2),
      ("a, b", 1, 2), ("nope(a)", 0, 4), ("ema()", 0, 5), ("ema(a, 1)", 7, 8), ("ema(a, b)", 7, 8),
      ("lag(a, 0)", 7, 8), ("lag(a, 1.5)", 7, 10), ("ema(step)", 4, 8), ("a % 2", 2, 3), ("a = 2", 2, 3),
      ("2a", 0, 2), ("`a", 0, 2), ("`` + a", 0, 2), ("1 + 2", 0, 5), ("step", 0, 4), ("config.lr * 2", 0, 13),
      ("1e999 * a", 0, 5), ("clip(a, 1)", 0, 10), ("(a b)", 3, 4), ("😀x + (", 7, 7), ("a..b", 1, 2),
    ]) func `a fault has a place`(text: String, from: Int, to: Int) throws
  {
    let error = try #require(throws: ExpressionError.self) { try MetricExpression(parsing: text) }
    #expect(error.range == from..<to, "\(error)")
    #expect(error.message.hasSuffix("."))
    #expect(error.problem.code == .unprocessable)
    #expect(error.problem.details["from"]?.int == Int64(from))
  }

  @Test func `the lags of an expression are bounded together`() throws {
    let ten = try parse(Array(repeating: "lag(a, 10000)", count: 10).joined(separator: " + "))
    try DerivedExpressions(["ten": ten]).check()
    let more = DerivedExpressions(["ten": ten, "more": try parse("ten + lag(b)")])
    let problem = try #require(throws: Problem.self) { try more.check() }
    #expect(problem.code == .unprocessable)
    #expect(problem.message.contains("100001"))
  }

  @Test func `what is reached from a name is what it is made of`() throws {
    let all = DerivedExpressions(["a": try parse("b + x"), "b": try parse("y"), "c": try parse("z")])
    #expect(all.reached(from: ["a"]) == ["a", "b", "x", "y"])
    #expect(all.reached(from: ["x"]) == ["x"])
  }

  @Test func `what is too long, too deep or too large is refused`() throws {
    #expect(throws: ExpressionError.self) { try parse(String(repeating: "a", count: 5_000)) }
    #expect(throws: ExpressionError.self) {
      try parse(String(repeating: "(", count: 1_000) + "a" + String(repeating: ")", count: 1_000))
    }
    #expect(throws: ExpressionError.self) { try parse(String(repeating: "-", count: 1_000) + "a") }
    #expect(throws: ExpressionError.self) { try parse("a" + String(repeating: "^a", count: 1_000)) }
    #expect(throws: ExpressionError.self) { try parse("a" + String(repeating: "+a", count: 1_000)) }
    #expect(try parse("a" + String(repeating: "+a", count: 249)).size == 499)
  }

  // MARK: - Printing

  private struct Numbers: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var word = state
      word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
      word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
      return word ^ (word >> 31)
    }
  }

  private func random(_ depth: Int, _ numbers: inout Numbers) -> MetricExpression {
    if depth == 0 || Int.random(in: 0..<6, using: &numbers) == 0 {
      switch Int.random(in: 0..<6, using: &numbers) {
      case 0: return .number([0, 0.5, 12, 1e-9, 1e300, 123.456][Int.random(in: 0..<6, using: &numbers)])
      case 1:
        return .config(["lr", "model.lr", "odd path", "a`b", "x."][Int.random(in: 0..<5, using: &numbers)])
      case 2: return .step
      case 3: return .time
      default:
        let names = ["a", "val/loss", "step", "config.lr", "ema", "a b", "2x", "-", "`", "x-", "ä"]
        return .metric(names[Int.random(in: 0..<names.count, using: &numbers)])
      }
    }
    switch Int.random(in: 0..<4, using: &numbers) {
    case 0: return .negative(random(depth - 1, &numbers))
    case 1:
      let function = [E.Function.abs, .max, .clip, .ema, .lag][Int.random(in: 0..<5, using: &numbers)]
      var arguments = (0..<function.arity.lowerBound).map { _ in random(depth - 1, &numbers) }
      if function.looksBack { arguments[0] = .binary(.plus, .metric("a"), arguments[0]) }
      if function == .ema, Bool.random(using: &numbers) { arguments.append(.number(0.25)) }
      if function == .lag, Bool.random(using: &numbers) { arguments.append(.number(7)) }
      return .call(function, arguments)
    default:
      let sign = E.Operator.allCases[Int.random(in: 0..<5, using: &numbers)]
      return .binary(sign, random(depth - 1, &numbers), random(depth - 1, &numbers))
    }
  }

  @Test func `what is printed reads back to the same`() throws {
    var numbers = Numbers(state: 7)
    for _ in 0..<3_000 {
      let expression = E.binary(.plus, .metric("m"), random(5, &numbers))
      guard expression.size <= MetricExpression.largest else { continue }
      let text = expression.description
      #expect(try parse(text) == expression, "\(text)")
    }
  }

  // MARK: - Derived of derived

  @Test func `derived metrics stand in each other down to logged ones`() throws {
    let derived = DerivedExpressions([
      "gap": try parse("val - train"), "smooth": try parse("ema(gap)"), "twice": try parse("2 * smooth"),
    ])
    try derived.check()
    #expect(derived.expanded("twice") { _ in false }?.description == "2 * ema(val - train)")
    #expect(derived.expanded("twice") { $0 == "gap" }?.description == "2 * ema(gap)")
    #expect(derived.expanded("gap") { $0 == "gap" } == .metric("gap"))
    #expect(derived.expanded("other") { _ in false } == nil)
    #expect(derived.dependents(of: "gap") == ["smooth", "twice"])
    #expect(derived.dependents(of: "twice") == [])
  }

  @Test func `none is made of itself, and none grows without end`() throws {
    let circle = DerivedExpressions([
      "a": try parse("b + 1"), "b": try parse("c * 2"), "c": try parse("x + a"),
    ])
    let problem = try #require(throws: Problem.self) { try circle.check() }
    #expect(problem.message.contains("'a' → 'b' → 'c' → 'a'"))
    var all: OrderedDictionary<String, MetricExpression> = ["d0": try parse("x + x")]
    for number in 1...30 { all["d\(number)"] = try parse("d\(number - 1) + d\(number - 1)") }
    #expect(throws: Problem.self) { try DerivedExpressions(all).check() }
  }
}
