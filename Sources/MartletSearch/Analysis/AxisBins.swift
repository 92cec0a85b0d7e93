// The axes of a space cut into bins, with the prior's share of each.

/// One axis in bins: cells of equal prior probability on a continuous one, values on all others.
///
/// The measure of everything here is the prior of the sweep file, so that what is said of a parameter is said of the
/// range that was searched and not of the places a method came back to.
struct AxisBins: Hashable, Sendable {
  /// A continuous axis, and an ordered one with more values, is cut into so many.
  static let most = 64
  /// The bin of a parameter that has no value.
  static let inactive = UInt16.max

  let isCategorical: Bool
  /// The share of each bin under the prior, given that the parameter has a value; they add up to 1.
  let shares: [Double]
  /// For each value of a categorical axis its bin: they are put in the order of their mean losses, so that a split
  /// takes the better from the worse (Breiman et al., "Classification and Regression Trees", 1984, section 9.4).
  private(set) var places: [Int]

  init(_ axis: UnitCube.Axis) {
    switch axis.kind {
    case .categorical(let count):
      isCategorical = true
      shares = axis.probabilities ?? Array(repeating: 1 / Double(count), count: count)
      places = Array(0..<count)
    case .ordered(let count?) where count <= Self.most:
      isCategorical = false
      shares = Array(repeating: 1 / Double(count), count: count)
      places = []
    case .ordered, .continuous:
      isCategorical = false
      shares = Array(repeating: 1 / Double(Self.most), count: Self.most)
      places = []
    }
  }

  var count: Int { shares.count }

  /// The bin of a coordinate.
  func bin(of coordinate: Double) -> UInt16 {
    if coordinate.isNaN { return Self.inactive }
    if isCategorical { return UInt16(places[min(max(Int(coordinate), 0), count - 1)]) }
    return UInt16(min(max(Int(coordinate * Double(count)), 0), count - 1))
  }

  /// The coordinate in the middle of a bin.
  func coordinate(of bin: Int) -> Double {
    if isCategorical { return Double(places.firstIndex(of: bin) ?? 0) }
    return (Double(bin) + 0.5) / Double(count)
  }

  /// Puts the values of a categorical axis in the order of the mean of `target` where they were tried; the others
  /// come last.
  mutating func order(by target: [Double], at coordinates: [Double]) {
    guard isCategorical else { return }
    var sums = Array(repeating: 0.0, count: count)
    var counts = Array(repeating: 0.0, count: count)
    for (coordinate, value) in zip(coordinates, target) where !coordinate.isNaN {
      sums[Int(coordinate)] += value
      counts[Int(coordinate)] += 1
    }
    let means = (0..<count).map { counts[$0] > 0 ? sums[$0] / counts[$0] : .infinity }
    let order = (0..<count).sorted { means[$0] == means[$1] ? $0 < $1 : means[$0] < means[$1] }
    for (bin, value) in order.enumerated() { places[value] = bin }
  }

  /// The shares by bin.
  var measure: [Double] {
    guard isCategorical else { return shares }
    var measure = shares
    for (value, bin) in places.enumerated() { measure[bin] = shares[value] }
    return measure
  }
}
