// Which axes CMA-ES treats as numbers and which as choices.

/// The axes of a cube as CMA-ES sees them: numbers under a normal distribution, and choices with a probability each.
///
/// An ordered axis of one or two values is a choice too: there is no direction to learn.
struct CMAESLayout: Hashable, Sendable {
  let cube: UnitCube
  /// Axes of the cube.
  let numeric: [Int]
  /// For each numeric axis whether it has steps.
  let isOrdered: [Bool]
  /// Axes of the cube.
  let choiceAxes: [Int]
  /// The coordinates to choose from, one list a choice axis.
  let choices: [[Double]]
  /// Their prior probabilities; 0: never.
  let prior: [[Double]]

  init(_ cube: UnitCube) {
    self.cube = cube
    var numeric: [Int] = []
    var isOrdered: [Bool] = []
    var choiceAxes: [Int] = []
    var choices: [[Double]] = []
    var prior: [[Double]] = []
    for (axis, entry) in cube.axes.enumerated() {
      let values: [Double]?
      switch entry.kind {
      case .continuous: values = nil
      case .ordered: values = cube.values(on: axis, atMost: 2)
      case .categorical(let count): values = (0..<count).map(Double.init)
      }
      if let values {
        choiceAxes.append(axis)
        choices.append(values)
        let given = entry.probabilities ?? values.map { _ in 1 }
        let sum = given.reduce(0, +)
        prior.append(given.map { $0 / sum })
      } else {
        numeric.append(axis)
        isOrdered.append(entry.kind != .continuous)
      }
    }
    (self.numeric, self.isOrdered) = (numeric, isOrdered)
    (self.choiceAxes, self.choices, self.prior) = (choiceAxes, choices, prior)
  }

  /// How many axes need a margin.
  var discreteCount: Int { choiceAxes.count + isOrdered.count { $0 } }

  /// The share of draws of an ordered axis that are not its likeliest value, at least (CatCMA with Margin: with all
  /// axes together, 27 of 100 points differ somewhere from the likeliest one).
  var margin: Double { 1 - Elementary.pow(0.73, 1 / Double(max(discreteCount, 1))) }

  func cell(of number: Double, on axis: Int) -> ClosedRange<Double> {
    cube.cell(of: min(max(number, 0), 1), on: numeric[axis])
  }

  /// The point of a sample, canonical.
  func coordinates(_ sample: CMAESSample) -> [Double] {
    var result = Array(repeating: 0.0, count: cube.axes.count)
    for (place, axis) in numeric.enumerated() { result[axis] = sample.numbers[place] }
    for (place, axis) in choiceAxes.enumerated() { result[axis] = choices[place][sample.choices[place]] }
    return cube.canonical(result)
  }

  /// A point of elsewhere as a sample; where it has no value, what `base` has.
  func sample(_ coordinates: [Double], base: CMAESSample) -> CMAESSample {
    var result = base
    result.isForeign = true
    for (place, axis) in numeric.enumerated() where !coordinates[axis].isNaN {
      result.numbers[place] = coordinates[axis]
    }
    for (place, axis) in choiceAxes.enumerated() where !coordinates[axis].isNaN {
      result.choices[place] = choices[place].firstIndex(of: coordinates[axis]) ?? base.choices[place]
    }
    return result
  }
}
