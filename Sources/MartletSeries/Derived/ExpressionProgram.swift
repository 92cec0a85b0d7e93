// An expression made ready to be computed point by point.

import MartletModel
import OrderedCollections

/// Computes expressions at one step after the other; what a function remembers of earlier points is in it.
///
/// At each step every part of an expression has no value, or one that is *fresh* (a point of the part is at this step),
/// *kept* (`last` carries one from an earlier step) or *bare* (numbers, configuration, step and time, which have no points).
/// An operator has a value where all its operands have; it is fresh where one of them is.
struct ExpressionProgram: Sendable {
  struct Value: Sendable {
    /// In this order: of several operands, the highest counts.
    enum Kind: UInt8, Sendable { case none, bare, kept, fresh }

    var kind = Kind.none
    var number = Double.nan
    /// Microseconds since 1970, of the latest point in it.
    var time = Int64.min

    static let none = Value()
  }

  private enum Instruction: Sendable {
    case number(Double)
    case nothing
    case leaf(Int)
    case step
    case time
    case negative
    case binary(MetricExpression.Operator)
    case least(Int)
    case greatest(Int)
    case clip
    case plain(MetricExpression.Function)
    case remembering(MetricExpression.Function, Int)
  }

  /// One of the expressions.
  private struct Root: Sendable {
    /// Where its instructions end; they begin where those of the one before end.
    var end: Int
    /// Its metrics.
    var leaves: [Int]
  }

  /// Parts that were computed since this was last set to 0.
  var effort = 0
  /// The metrics that are read, in the order of their points in `value(leaves:)`.
  let metrics: [String]
  private var instructions: [Instruction] = []
  private var roots: [Root] = []
  private var memories: [Memory] = []
  private var stack: [Value] = []
  /// Whether the last expression is wanted at all steps, not only where its metrics have points.
  private let hasAxis: Bool

  /// - Parameters:
  ///   - expressions: of logged metrics.
  ///   - hasAxis: the last one is wanted at all steps.
  ///   - config: a number of the run's configuration; nil: it has none at this path.
  init(_ expressions: [MetricExpression], hasAxis: Bool = false, config: (String) -> Double?) {
    self.hasAxis = hasAxis
    var names: OrderedSet<String> = []
    for expression in expressions { names.formUnion(expression.metrics) }
    metrics = Array(names)
    for expression in expressions {
      compile(expression, names, config)
      roots.append(
        Root(end: instructions.count, leaves: expression.metrics.compactMap { names.firstIndex(of: $0) }))
    }
    stack.reserveCapacity(64)
  }

  private mutating func compile(
    _ expression: MetricExpression, _ names: OrderedSet<String>, _ config: (String) -> Double?
  ) {
    for operand in expression.operands { compile(operand, names, config) }
    switch expression {
    case .number(let value): instructions.append(.number(value))
    case .metric(let name): instructions.append(.leaf(names.firstIndex(of: name) ?? 0))
    case .config(let path): instructions.append(config(path).map(Instruction.number) ?? .nothing)
    case .step: instructions.append(.step)
    case .time: instructions.append(.time)
    case .negative: instructions.append(.negative)
    case .binary(let sign, _, _): instructions.append(.binary(sign))
    case .call(.min, let arguments): instructions.append(.least(arguments.count))
    case .call(.max, let arguments): instructions.append(.greatest(arguments.count))
    case .call(.clip, _): instructions.append(.clip)
    case .call(let function, let arguments):
      guard function.looksBack else { return instructions.append(.plain(function)) }
      var setting: Double?
      if arguments.count > 1, case .number(let value) = arguments[1] {
        setting = value
        // It is no operand, but a part of the function.
        instructions.removeLast()
      }
      instructions.append(.remembering(function, memories.count))
      memories.append(Memory(function, setting: setting))
    }
  }

  /// The values of all expressions at one step.
  ///
  /// - Parameters:
  ///   - step: above that of the call before.
  ///   - start: when the run's first row was logged, microseconds since 1970.
  ///   - leaves: the points of `metrics` at this step; at least one is there.
  ///   - take: called for each expression, in order.
  mutating func compute(
    step: Int64, start: Int64, leaves: [Value], take: (Int, Value) -> Void
  ) {
    effort += leaves.count
    var place = 0
    for index in roots.indices {
      let end = roots[index].end
      // Of its own metrics: what it is computed beside of must not change it.
      var latest = Int64.min
      for leaf in roots[index].leaves { latest = max(latest, leaves[leaf].time) }
      if latest == .min {
        guard hasAxis, index == roots.count - 1 else {
          // Without a fresh operand nothing is fresh, and no function remembers anything.
          place = end
          take(index, .none)
          continue
        }
        for leaf in leaves { latest = max(latest, leaf.time) }
      }
      effort += end - place
      let seconds = Double(latest &- start) / 1e6
      stack.removeAll(keepingCapacity: true)
      while place < end {
        run(instructions[place], step: step, seconds: seconds, leaves: leaves)
        place += 1
      }
      take(index, stack.last ?? .none)
    }
  }

  private mutating func run(_ instruction: Instruction, step: Int64, seconds: Double, leaves: [Value]) {
    switch instruction {
    case .number(let value): stack.append(Value(kind: .bare, number: value))
    case .nothing: stack.append(.none)
    case .leaf(let index): stack.append(leaves[index])
    case .step: stack.append(Value(kind: .bare, number: Double(step)))
    case .time: stack.append(Value(kind: .bare, number: seconds))
    case .negative: stack[stack.count - 1].number.negate()
    case .binary(let sign):
      let right = stack.removeLast()
      join(right) { left, right in
        switch sign {
        case .plus: left + right
        case .minus: left - right
        case .times: left * right
        case .over: left / right
        case .power: power(left, right)
        }
      }
    case .least(let count):
      for _ in 1..<count {
        let right = stack.removeLast()
        join(right) { .minimum($0, $1) }
      }
    case .greatest(let count):
      for _ in 1..<count {
        let right = stack.removeLast()
        join(right) { .maximum($0, $1) }
      }
    case .clip:
      let (highest, lowest) = (stack.removeLast(), stack.removeLast())
      join(lowest) { $0 < $1 ? $1 : $0 }
      join(highest) { $0 > $1 ? $1 : $0 }
    case .plain(let function):
      stack[stack.count - 1].number = plain(function, stack[stack.count - 1].number)
    case .remembering(let function, let place):
      stack[stack.count - 1] = memories[place].take(stack[stack.count - 1], function)
    }
  }

  /// Puts what is computed of the top of the stack and `right` in its place.
  private mutating func join(_ right: Value, _ compute: (Double, Double) -> Double) {
    let top = stack.count - 1
    let left = stack[top]
    guard left.kind != .none, right.kind != .none else {
      stack[top] = .none
      return
    }
    stack[top] = Value(
      kind: left.kind.rawValue > right.kind.rawValue ? left.kind : right.kind,
      number: compute(left.number, right.number), time: max(left.time, right.time))
  }
}
