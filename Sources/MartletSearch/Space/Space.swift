// What a sweep searches: named parameters, in the order of the file.

public import MartletModel
import OrderedCollections

/// One parameter of a space.
public struct Parameter: Hashable, Sendable {
  /// Where the value belongs in a nested configuration: `["optimizer", "lr"]`. A key may itself hold a dot.
  public var path: [String]
  public var domain: Domain
  /// When it has a value at all; nil: always.
  public var condition: Condition?

  /// The path joined with dots: `optimizer.lr`.
  public var name: String { path.joined(separator: ".") }

  public init(path: [String], domain: Domain, condition: Condition? = nil) {
    self.path = path
    self.domain = domain
    self.condition = condition
  }

  public init(_ name: String, _ domain: Domain, when condition: Condition? = nil) {
    self.init(path: [name], domain: domain, condition: condition)
  }
}

/// The parameters of a search.
public struct Space: Hashable, Sendable {
  public let parameters: [Parameter]
  private let places: [String: Int]
  /// Parameters by place, so that whatever a condition asks about comes before.
  let evaluationOrder: [Int]

  /// - Throws: `SearchError` for no parameters, a name given twice, a domain that cannot be searched, a condition on a
  ///   parameter that is not there, or conditions that go round in a circle.
  public init(_ parameters: [Parameter]) throws(SearchError) {
    guard !parameters.isEmpty else { throw .emptySpace }
    var places: [String: Int] = [:]
    for (place, parameter) in parameters.enumerated() {
      guard places.updateValue(place, forKey: parameter.name) == nil else {
        throw .repeatedParameter(parameter.name)
      }
      if let flaw = parameter.domain.flaw { throw .invalidDomain(parameter: parameter.name, flaw: flaw) }
    }
    self.parameters = parameters
    self.places = places
    evaluationOrder = try Self.order(parameters, places)
  }

  /// The place of the parameter of that name.
  public func place(of name: String) -> Int? { places[name] }

  private static func order(
    _ parameters: [Parameter], _ places: [String: Int]
  ) throws(SearchError) -> [Int] {
    var order: [Int] = []
    var isPlaced = Array(repeating: false, count: parameters.count)
    while order.count < parameters.count {
      let before = order.count
      for (place, parameter) in parameters.enumerated() where !isPlaced[place] {
        let asked = parameter.condition?.names ?? []
        if let unknown = asked.first(where: { places[$0] == nil }) {
          let near = nearest(to: unknown, in: parameters.map(\.name)).map { "; did you mean '\($0)'?" } ?? ""
          throw .invalidRule(
            parameter: parameter.name,
            message: "its condition asks about '\(unknown)', which is no parameter\(near)")
        }
        guard asked.allSatisfy({ name in places[name].map { isPlaced[$0] } ?? false }) else { continue }
        isPlaced[place] = true
        order.append(place)
      }
      if order.count == before, let stuck = isPlaced.firstIndex(of: false) {
        throw .invalidRule(
          parameter: parameters[stuck].name, message: "its condition depends, over others, on itself")
      }
    }
    return order
  }

  /// How many points there are; nil when there is no end of them, `Int.max` when there are that many or more.
  public var cardinality: Int? {
    var product = 1
    for parameter in parameters {
      guard let count = parameter.domain.count else { return nil }
      let next = product.multipliedReportingOverflow(by: count)
      product = next.overflow ? Int.max : next.partialValue
    }
    return product
  }

  /// The point at `index`, from 0, of all points: parameters in order, the last one changing fastest.
  ///
  /// Nil beyond the end, and for a space that is infinite or too large to count.
  public func point(at index: Int) -> Point? {
    guard let cardinality, cardinality < Int.max, (0..<cardinality).contains(index) else { return nil }
    var rest = index
    var digits: [JSONValue] = []
    for parameter in parameters.reversed() {
      guard let count = parameter.domain.count, let value = parameter.domain.value(at: rest % count) else {
        return nil
      }
      digits.append(value)
      rest /= count
    }
    var point = Point()
    for (parameter, value) in zip(parameters, digits.reversed()) { point.set(parameter, to: value) }
    return point
  }

  /// The point with these values by dotted name, as `Point.flat` gave them.
  ///
  /// Nil unless there is a value for every parameter and for nothing else. Whether a value lies in its domain is not
  /// asked: a point that was tried stays readable when the file has changed.
  public func point(flat: JSONValue) -> Point? {
    guard let members = flat.object, members.count == parameters.count else { return nil }
    var point = Point()
    for parameter in parameters {
      guard let value = members[parameter.name] else { return nil }
      point.set(parameter, to: value)
    }
    return point
  }
}
