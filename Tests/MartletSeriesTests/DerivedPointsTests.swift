// Derived points against a computation that is as plain as can be.

import Foundation
import MartletModel
import MartletSeries
import MartletTestSupport
import OrderedCollections
import Testing

/// Computes an expression by its definition: a table of all steps for each part of it.
private struct NaiveDerivation {
  struct Value {
    var number: Double
    var time: Int64
    var isFresh: Bool
  }

  /// By metric and step.
  var points: [String: [Int64: (time: Int64, value: Double)]]
  var config: [String: Double]
  var start: Int64

  private func steps(_ expression: MetricExpression) -> [Int64] {
    Set(expression.metrics.flatMap { points[$0].map { Array($0.keys) } ?? [] }).sorted()
  }

  func points(_ expression: MetricExpression) -> [DerivedPoints.Point] {
    let all = steps(expression)
    return zip(all, table(expression, all)).compactMap { step, value in
      guard let value, value.isFresh else { return nil }
      return DerivedPoints.Point(step: step, time: value.time, value: value.number)
    }
  }

  /// The value of each of `all` steps.
  private func table(_ expression: MetricExpression, _ all: [Int64]) -> [Value?] {
    func bare(_ number: Double) -> Value { Value(number: number, time: .min, isFresh: false) }
    switch expression {
    case .number(let value): return all.map { _ in bare(value) }
    case .config(let path): return all.map { _ in config[path].map(bare) }
    case .step: return all.map { bare(Double($0)) }
    case .time:
      return all.map { step in
        let latest = points.values.compactMap { $0[step]?.time }.max() ?? start
        return bare(Double(latest - start) / 1e6)
      }
    case .metric(let name):
      return all.map { step in
        points[name]?[step].map { Value(number: $0.value, time: $0.time, isFresh: true) }
      }
    case .negative(let operand):
      return table(operand, all).map { value in
        value.map { Value(number: -$0.number, time: $0.time, isFresh: $0.isFresh) }
      }
    case .binary(let sign, let left, let right):
      return joined([left, right], all) { values in
        switch sign {
        case .plus: values[0] + values[1]
        case .minus: values[0] - values[1]
        case .times: values[0] * values[1]
        case .over: values[0] / values[1]
        case .power: pow(values[0], values[1])
        }
      }
    case .call(let function, let arguments): return table(function, arguments, all)
    }
  }

  private func joined(
    _ operands: [MetricExpression], _ all: [Int64], _ compute: ([Double]) -> Double
  ) -> [Value?] {
    let tables = operands.map { table($0, all) }
    return all.indices.map { index in
      let values = tables.compactMap { $0[index] }
      guard values.count == operands.count else { return nil }
      return Value(
        number: compute(values.map(\.number)), time: values.map(\.time).max() ?? .min,
        isFresh: values.contains(where: \.isFresh))
    }
  }

  private func table(
    _ function: MetricExpression.Function, _ arguments: [MetricExpression], _ all: [Int64]
  ) -> [Value?] {
    switch function {
    case .abs: return joined([arguments[0]], all) { Swift.abs($0[0]) }
    case .sqrt: return joined([arguments[0]], all) { $0[0].squareRoot() }
    case .log: return joined([arguments[0]], all) { Foundation.log($0[0]) }
    case .log10: return joined([arguments[0]], all) { Foundation.log10($0[0]) }
    case .exp: return joined([arguments[0]], all) { Foundation.exp($0[0]) }
    case .min: return joined(arguments, all) { $0.filter { !$0.isNaN }.min() ?? .nan }
    case .max: return joined(arguments, all) { $0.filter { !$0.isNaN }.max() ?? .nan }
    case .clip:
      return joined(arguments, all) { values in
        let raised = values[0] < values[1] ? values[1] : values[0]
        return raised > values[2] ? values[2] : raised
      }
    case .last:
      var kept: Value?
      return table(arguments[0], all).map { value in
        if let value, value.isFresh {
          kept = value
          return value
        }
        return kept.map { Value(number: $0.number, time: $0.time, isFresh: false) }
      }
    case .ema, .diff, .cummin, .cummax, .cumsum, .lag, .rate:
      let values = table(arguments[0], all)
      let own = values.indices.filter { values[$0]?.isFresh == true }
      var result = [Value?](repeating: nil, count: all.count)
      var setting: Double?
      if arguments.count > 1, case .number(let number) = arguments[1] { setting = number }
      for (order, index) in own.enumerated() {
        let before = own[...order].compactMap { values[$0] }
        if let number = value(function, setting, before), let time = before.last?.time {
          result[index] = Value(number: number, time: time, isFresh: true)
        }
      }
      return result
    }
  }

  /// - Parameter values: the points up to this one.
  private func value(
    _ function: MetricExpression.Function, _ setting: Double?, _ values: [Value]
  ) -> Double? {
    let numbers = values.map(\.number)
    let real = numbers.filter { !$0.isNaN }
    switch function {
    case .cummin: return real.min() ?? .nan
    case .cummax: return real.max() ?? .nan
    case .cumsum: return real.isEmpty ? .nan : real.dropFirst().reduce(real[0], +)
    case .diff: return numbers.count > 1 ? numbers[numbers.count - 1] - numbers[numbers.count - 2] : nil
    case .lag:
      let place = numbers.count - 1 - Int(setting ?? 1)
      return place >= 0 ? numbers[place] : nil
    case .rate:
      guard values.count > 1 else { return nil }
      let (a, b) = (values[values.count - 2], values[values.count - 1])
      return b.time > a.time ? (b.number - a.number) / (Double(b.time - a.time) / 1e6) : nil
    case .ema:
      var (sum, rest) = (0.0, 1.0)
      let weight = setting ?? 0.9
      for number in numbers where number.isFinite {
        sum = weight * sum + (1 - weight) * number
        rest *= weight
      }
      return rest < 1 ? sum / (1 - rest) : .nan
    case .abs, .sqrt, .log, .log10, .exp, .min, .max, .clip, .last: return nil
    }
  }
}

@Suite struct DerivedPointsTests {
  private let names = ["a", "b", "val/loss"]

  private func expression(_ depth: Int, _ dice: inout SeededNumbers) -> MetricExpression {
    if depth == 0 || Int.random(in: 0..<5, using: &dice) == 0 {
      switch Int.random(in: 0..<8, using: &dice) {
      case 0: return .number(Double(Int.random(in: -2...3, using: &dice)))
      case 1: return .config(["lr", "none"][Int.random(in: 0..<6, using: &dice) == 0 ? 1 : 0])
      case 2: return .step
      case 3: return .time
      default: return .metric(names[Int.random(in: 0..<3, using: &dice)])
      }
    }
    switch Int.random(in: 0..<5, using: &dice) {
    case 0: return .negative(expression(depth - 1, &dice))
    case 1, 2:
      let all = MetricExpression.Function.allCases
      let function = all[Int.random(in: 0..<all.count, using: &dice)]
      var arguments = (0..<function.arity.lowerBound).map { _ in expression(depth - 1, &dice) }
      if function.looksBack, !arguments[0].hasMetric {
        arguments[0] = .binary(.plus, .metric("a"), arguments[0])
      }
      if function == .ema, Bool.random(using: &dice) { arguments.append(.number(0.5)) }
      if function == .lag, Bool.random(using: &dice) { arguments.append(.number(3)) }
      return .call(function, arguments)
    default:
      let sign = MetricExpression.Operator.allCases[Int.random(in: 0..<5, using: &dice)]
      return .binary(sign, expression(depth - 1, &dice), expression(depth - 1, &dice))
    }
  }

  private func value(_ dice: inout SeededNumbers) -> Double {
    switch Int.random(in: 0..<20, using: &dice) {
    case 0, 1: .nan
    case 2: .infinity
    case 3: -.infinity
    case 4: 0
    default: Double.random(in: -10...10, using: &dice)
    }
  }

  private func alike(_ a: Double, _ b: Double) -> Bool {
    a == b || (a.isNaN && b.isNaN) || abs(a - b) <= 1e-9 * max(1, abs(a), abs(b))
  }

  @Test(arguments: 0..<40)
  func `the same as by definition, whatever the expression`(seed: UInt64) throws {
    var dice = SeededNumbers(seed: seed)
    var points: [String: [Int64: (time: Int64, value: Double)]] = [:]
    for name in names where Int.random(in: 0..<10, using: &dice) > 0 {
      let every = Int.random(in: 1...4, using: &dice)
      for step in -5..<60 where Int.random(in: 0..<every, using: &dice) == 0 {
        let time = 1_000_000 * Int64(step + 10) / 2 + Int64.random(in: -700_000...0, using: &dice)
        points[name, default: [:]][Int64(step)] = (time, value(&dice))
      }
    }
    let naive = NaiveDerivation(points: points, config: ["lr": 0.25], start: 77)
    for _ in 0..<50 {
      let whole = MetricExpression.binary(.plus, .metric("a"), expression(4, &dice))
      for expression in [whole, self.expression(4, &dice)] where expression.hasMetric {
        let length = Int.random(in: 1...20, using: &dice)
        var derived = DerivedPoints(expression, start: 77) { naive.config[$0] }
        var places = [Int](repeating: 0, count: derived.metrics.count)
        let metrics = derived.metrics
        var found: [DerivedPoints.Point] = []
        derived.compute(
          refill: { index in
            let all = (points[metrics[index]] ?? [:]).sorted { $0.key < $1.key }
            let piece = all.dropFirst(places[index]).prefix(length)
            places[index] += piece.count
            return PointRun(
              steps: piece.map(\.key), times: piece.map(\.value.time), values: piece.map(\.value.value))
          }, take: { found.append($0) })
        // `time` is of the metrics of the expression alone.
        var alone = naive
        alone.points = points.filter { expression.metrics.contains($0.key) }
        let expected = alone.points(expression)
        try #require(found.map(\.step) == expected.map(\.step), "\(expression)")
        for (one, other) in zip(found, expected) {
          try #require(one.time == other.time, "\(expression) at \(one.step)")
          try #require(alike(one.value, other.value), "\(expression) at \(one.step): \(one) \(other)")
        }
      }
    }
  }

  private func compute(_ text: String, _ series: [String: [(Int64, Double)]]) throws -> [(Int64, Double)] {
    var derived = DerivedPoints(try MetricExpression(parsing: text), start: 0) { _ in nil }
    var given = Set<Int>()
    let metrics = derived.metrics
    var found: [(Int64, Double)] = []
    derived.compute(
      refill: { index in
        guard given.insert(index).inserted, let points = series[metrics[index]] else { return nil }
        return PointRun(
          steps: points.map(\.0), times: points.map { $0.0 * 1_000_000 }, values: points.map(\.1))
      }, take: { found.append(($0.step, $0.value)) })
    return found
  }

  @Test(arguments: 0..<20)
  func `several expressions in one pass are what each is alone`(seed: UInt64) {
    var dice = SeededNumbers(seed: seed)
    var points: [PointRun] = []
    for _ in names {
      let steps = (Int64(0)..<50).filter { _ in Bool.random(using: &dice) }
      let times = steps.map { $0 * 700_000 + Int64.random(in: 0...600_000, using: &dice) }
      points.append(PointRun(steps: steps, times: times, values: steps.map { _ in value(&dice) }))
    }
    let series = Dictionary(uniqueKeysWithValues: zip(names, points))
    func pass(_ expressions: [MetricExpression]) -> [[DerivedPoints.Point]] {
      var derived = DerivedPoints(expressions, start: 77) { _ in 0.25 }
      let metrics = derived.metrics
      var given: Set<Int> = []
      var found = [[DerivedPoints.Point]](repeating: [], count: expressions.count)
      derived.compute(
        refill: { given.insert($0).inserted ? series[metrics[$0]] : nil }, spend: { _ in },
        take: { found[$0].append($1) })
      return found
    }
    let expressions = (0..<20).map { _ in expression(4, &dice) }.filter(\.hasMetric)
    for (expression, together) in zip(expressions, pass(expressions)) {
      let alone = pass([expression])[0]
      #expect(together.map(\.step) == alone.map(\.step), "\(expression)")
      #expect(together.map(\.time) == alone.map(\.time), "\(expression)")
      #expect(zip(together, alone).allSatisfy { alike($0.value, $1.value) }, "\(expression)")
    }
  }

  private struct Enough: Error {}

  @Test func `what is computed is counted, and whoever counts ends it`() throws {
    var derived = DerivedPoints(try MetricExpression(parsing: "a + a + a"), start: 0) { _ in nil }
    var (next, parts) = (Int64(0), 0)
    do {
      try derived.compute(
        refill: { _ in
          let steps = Array(next..<(next + 1_000))
          next += 1_000
          return PointRun(steps: steps, times: steps, values: steps.map(Double.init))
        },
        spend: {
          parts += $0
          if parts > 200_000 { throw Enough() }
        }, take: { _, _ in })
      Issue.record("endless points ended")
    } catch is Enough {}
    // Six a step: five parts, and the point of its metric.
    #expect((200_000...300_000).contains(parts))
    #expect(Int64(parts / 6) <= next)
  }

  @Test func `the largest expression there may be is computed`() throws {
    let sum = try MetricExpression(parsing: "a" + String(repeating: " + a", count: 249))
    let derived = DerivedExpressions([
      "b": sum.replacing { _ in .metric("x") },
      "whole": try MetricExpression(parsing: "b + b + b + last(b)"),
    ])
    try derived.check()
    let expression = try #require(derived.expanded("whole") { $0 == "x" })
    #expect(expression.size == 4 * 499 + 4)
    var points = DerivedPoints(expression, start: 0) { _ in nil }
    var isGiven = false
    var values: [Double] = []
    points.compute(
      refill: { _ in
        defer { isGiven = true }
        return isGiven ? nil : PointRun(steps: [1, 2], times: [1, 2], values: [1, 2])
      }, take: { values.append($0.value) })
    #expect(values == [1_000, 2_000])
  }

  @Test func `points are joined at equal steps, last carries a value on`() throws {
    let series: [String: [(Int64, Double)]] = [
      "a": [(0, 1), (1, 2), (2, 3), (4, 5)], "b": [(1, 10), (4, 40)],
    ]
    func check(_ text: String, _ expected: [(Int64, Double)]) throws {
      let found = try compute(text, series)
      #expect(found.elementsEqual(expected, by: ==), "\(text): \(found)")
    }
    try check("a + b", [(1, 12), (4, 45)])
    try check("a + last(b)", [(1, 12), (2, 13), (4, 45)])
    try check("last(a) + last(b)", [(1, 12), (2, 13), (4, 45)])
    try check("last(b)", [(1, 10), (4, 40)])
    try check("a + none", [])
    try check("a * config.none", [])
    try check("diff(a)", [(1, 1), (2, 1), (4, 2)])
    try check("rate(a)", [(1, 1), (2, 1), (4, 1)])
    try check("lag(a, 2)", [(2, 1), (4, 2)])
    try check("cumsum(b)", [(1, 10), (4, 50)])
    try check("a * 0 + step", [(0, 0), (1, 1), (2, 2), (4, 4)])
    try check("a * 0 + time", [(0, 0), (1, 1), (2, 2), (4, 4)])
    try check("max(a, 3)", [(0, 3), (1, 3), (2, 3), (4, 5)])
    try check("clip(a, 2, 3)", [(0, 2), (1, 2), (2, 3), (4, 3)])
    try check("ema(a, 0)", [(0, 1), (1, 2), (2, 3), (4, 5)])
  }
}
