// The coordinates of a space as columns in which a kernel measures distances.

/// What a kernel compares of two points.
///
/// A number counts by its distance, a categorical value by being the same or not (Hamming). An axis that may be inactive
/// has its activity as one more number of the same weight, and stands in the middle while it is inactive: two inactive
/// ones are the same, an active and an inactive one differ by a constant at least (in the spirit of Lévesque, Durand,
/// Gagné, Sabourin: Bayesian Optimization for Conditional Hyperparameter Spaces, 2017).
struct KernelFeatures: Hashable, Sendable {
  enum Kind: Hashable, Sendable {
    /// The coordinate of an axis, 0...1.
    case number
    /// `activity` where an axis has a value, else 0.
    case activity
    /// The index of a categorical value; −1: inactive.
    case category
  }

  struct Feature: Hashable, Sendable {
    var kind: Kind
    /// The axis it is made of, whose weight it shares.
    var axis: Int
  }

  /// How far apart an active and an inactive coordinate are at least.
  static let activity = 0.5

  let features: [Feature]
  let axisCount: Int

  init(_ cube: UnitCube) {
    var features: [Feature] = []
    for (axis, entry) in cube.axes.enumerated() {
      if case .categorical = entry.kind {
        features.append(Feature(kind: .category, axis: axis))
        continue
      }
      features.append(Feature(kind: .number, axis: axis))
      if cube.parameter(of: axis).condition != nil {
        features.append(Feature(kind: .activity, axis: axis))
      }
    }
    self.features = features
    axisCount = cube.axes.count
  }

  func value(of feature: Int, _ coordinates: [Double]) -> Double {
    let coordinate = coordinates[features[feature].axis]
    return switch features[feature].kind {
    case .number: coordinate.isNaN ? 0.5 : coordinate
    case .activity: coordinate.isNaN ? 0 : Self.activity
    case .category: coordinate.isNaN ? -1 : coordinate
    }
  }

  /// One value a feature of a canonical point.
  func row(_ coordinates: [Double]) -> [Double] {
    features.indices.map { value(of: $0, coordinates) }
  }

  /// `columns[feature][point]`.
  func columns(_ points: [[Double]]) -> [[Double]] {
    features.indices.map { feature in points.map { value(of: feature, $0) } }
  }
}
