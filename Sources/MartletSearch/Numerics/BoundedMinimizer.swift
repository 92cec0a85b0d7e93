// The minimum of a smooth function in a box.

import CMartletNumerics

/// Limited-memory BFGS with projection on a box.
///
/// Nocedal, Wright: Numerical Optimization (2006), algorithms 7.4 and 7.5, on the variables that are not held at a
/// bound; the step goes along the projected direction and is shortened until it falls enough (Bertsekas: Projected
/// Newton Methods for Optimization Problems with Simple Constraints, 1982).
struct BoundedMinimizer: Sendable {
  /// How many steps the approximation of the curvature remembers.
  var memory = 10
  var iterations = 100
  /// Ends when no entry of the projected gradient is larger.
  var gradientTolerance = 1e-5
  /// Ends when a step lowers the value by less than this share of its magnitude (or of 1).
  var valueTolerance = 1e-9

  /// - Parameter function: writes the gradient and returns the value; not finite: as good as infinite.
  /// - Returns: the best point found, and its value.
  func minimize(
    from start: [Double], lower: [Double], upper: [Double], _ function: ([Double], inout [Double]) -> Double
  ) -> (point: [Double], value: Double) {
    let count = start.count
    var x = start
    for i in x.indices { x[i] = min(max(x[i], lower[i]), upper[i]) }
    var gradient = Array(repeating: 0.0, count: count)
    var value = function(x, &gradient)
    guard value.isFinite else { return (x, .infinity) }
    var curvature = LimitedMemory(limit: memory)
    var next = x
    var nextGradient = gradient
    for iteration in 0..<iterations {
      let isFree = x.indices.map { i in
        !(x[i] <= lower[i] && gradient[i] > 0) && !(x[i] >= upper[i] && gradient[i] < 0)
      }
      var steepest = 0.0
      for i in x.indices where isFree[i] {
        let reach = min(max(x[i] - gradient[i], lower[i]), upper[i]) - x[i]
        steepest = max(steepest, reach.magnitude)
      }
      guard steepest > gradientTolerance else { break }
      var direction = curvature.direction(gradient, isFree: isFree)
      if dot(direction, gradient) >= 0 {
        curvature = LimitedMemory(limit: memory)
        direction = curvature.direction(gradient, isFree: isFree)
      }
      // Without any knowledge of the curvature a step of the gradient's length may leave the world.
      var length = 1.0
      if curvature.isEmpty { length = min(1, 1 / max(norm(direction), 1e-300)) }
      var isAccepted = false
      var nextValue = value
      for _ in 0..<25 {
        var expected = 0.0
        for i in x.indices {
          next[i] = min(max(x[i] + length * direction[i], lower[i]), upper[i])
          expected += gradient[i] * (next[i] - x[i])
        }
        nextValue = function(next, &nextGradient)
        if nextValue.isFinite, nextValue <= value + 1e-4 * expected {
          isAccepted = true
          break
        }
        // The minimum of the parabola through what is known, within bounds.
        let parabola = nextValue.isFinite ? -expected / (2 * (nextValue - value - expected)) : 0.1
        length *= parabola.isFinite ? min(max(parabola, 0.1), 0.5) : 0.5
      }
      guard isAccepted else {
        if curvature.isEmpty || iteration == 0 { break }
        curvature = LimitedMemory(limit: memory)
        continue
      }
      curvature.learn(from: x, to: next, gradient, nextGradient)
      let fall = value - nextValue
      swap(&x, &next)
      swap(&gradient, &nextGradient)
      value = nextValue
      if fall <= valueTolerance * max(1, value.magnitude) { break }
    }
    return (x, value)
  }
}

/// The last steps and how the gradient changed along them.
private struct LimitedMemory {
  let limit: Int
  private var steps: [[Double]] = []
  private var changes: [[Double]] = []
  var isEmpty: Bool { steps.isEmpty }

  init(limit: Int) { self.limit = limit }

  mutating func learn(from x: [Double], to next: [Double], _ gradient: [Double], _ nextGradient: [Double]) {
    let step = zip(next, x).map { $0 - $1 }
    let change = zip(nextGradient, gradient).map { $0 - $1 }
    // Only where the function curves upwards.
    guard dot(step, change) > 1e-10 * norm(step) * norm(change) else { return }
    if steps.count == limit {
      steps.removeFirst()
      changes.removeFirst()
    }
    steps.append(step)
    changes.append(change)
  }

  /// −H g on the free variables, by the two-loop recursion; zero on the others.
  func direction(_ gradient: [Double], isFree: [Bool]) -> [Double] {
    func masked(_ vector: [Double]) -> [Double] { vector.indices.map { isFree[$0] ? vector[$0] : 0 } }
    var result = masked(gradient)
    var used: [(step: [Double], change: [Double], inner: Double, factor: Double)] = []
    for index in steps.indices.reversed() {
      let step = masked(steps[index])
      let change = masked(changes[index])
      let inner = dot(step, change)
      guard inner > 1e-12 * norm(step) * norm(change) else { continue }
      let factor = dot(step, result) / inner
      martlet_add_scaled(-factor, change, &result, result.count)
      used.append((step, change, inner, factor))
    }
    if let last = used.first {
      let scale = last.inner / dot(last.change, last.change)
      for i in result.indices { result[i] *= scale }
    }
    for entry in used.reversed() {
      let back = dot(entry.change, result) / entry.inner
      martlet_add_scaled(entry.factor - back, entry.step, &result, result.count)
    }
    for i in result.indices { result[i] = -result[i] }
    return result
  }
}

private func dot(_ a: [Double], _ b: [Double]) -> Double { martlet_dot(a, b, a.count) }

private func norm(_ a: [Double]) -> Double { dot(a, a).squareRoot() }
