// A step from one point to a near one, by kind of axis.

/// Small changes of a point.
struct Move: Sendable {
  let cube: UnitCube
  /// The standard deviation of a step, as a share of the range.
  let width: Double
  /// How many axes change at most.
  let axes: Int

  /// A canonical point that differs from `point` on 1 to `axes` of its active axes.
  func neighbour(of point: [Double], using generator: inout Xoshiro256) -> [Double] {
    var active = point.indices.filter { !point[$0].isNaN && !isFixed($0) }
    guard !active.isEmpty else { return point }
    var result = point
    let count = min(1 + Int(generator.below(UInt64(max(axes, 1)))), active.count)
    for _ in 0..<count {
      let axis = active.remove(at: Int(generator.below(UInt64(active.count))))
      result[axis] = moved(axis, point[axis], &generator)
    }
    // What becomes active only now has no place to step from.
    for axis in result.indices where result[axis].isNaN {
      result[axis] = cube.draw(axis: axis, using: &generator)
    }
    return cube.canonical(result)
  }

  /// Another place on one axis.
  func moved(_ axis: Int, _ value: Double, _ generator: inout Xoshiro256) -> Double {
    if case .categorical = cube.axes[axis].kind {
      for _ in 0..<20 {
        let other = cube.draw(axis: axis, using: &generator)
        if other != value { return other }
      }
      return value
    }
    var place = value + width * generator.normal()
    // Bounds throw back, so that their neighbourhood is not tried again and again.
    if place < 0 { place = -place }
    if place > 1 { place = 2 - place }
    place = min(max(place, 0), 1)
    guard case .ordered = cube.axes[axis].kind, cube.cell(of: value, on: axis).contains(place) else {
      return place
    }
    return cube.neighbour(of: value, on: axis, up: place >= value)
      ?? cube.neighbour(of: value, on: axis, up: place < value) ?? value
  }

  private func isFixed(_ axis: Int) -> Bool {
    switch cube.axes[axis].kind {
    case .continuous: false
    case .ordered(let count): count == 1
    case .categorical(let count): count == 1
    }
  }
}
