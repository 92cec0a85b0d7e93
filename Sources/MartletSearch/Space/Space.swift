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
  /// Computed from the parameters and from those before them here.
  public let derived: [DerivedParameter]
  /// What every point must meet.
  public let relations: [Relation]
  private let places: [String: Int]
  /// Parameters by place, so that whatever a condition asks about comes before.
  let evaluationOrder: [Int]
  /// Nil: there is no end of points.
  private let enumeration: Enumeration?

  /// - Throws: `SearchError` for no parameters, a name given twice, a domain that cannot be searched, a condition, a
  ///   derived parameter or a relation that names what is not there or is no number, or conditions that go round in a
  ///   circle.
  public init(
    _ parameters: [Parameter], derived: [DerivedParameter] = [], relations: [Relation] = []
  ) throws(SearchError) {
    guard !parameters.isEmpty else { throw .emptySpace }
    var places: [String: Int] = [:]
    for (place, name) in (parameters.map(\.name) + derived.map(\.name)).enumerated() {
      guard places.updateValue(place, forKey: name) == nil else { throw .repeatedParameter(name) }
    }
    for parameter in parameters {
      if let flaw = parameter.domain.flaw { throw .invalidDomain(parameter: parameter.name, flaw: flaw) }
    }
    self.parameters = parameters
    self.derived = derived
    self.relations = relations
    self.places = places
    evaluationOrder = try Self.order(parameters, places)
    enumeration = Enumeration(parameters, order: evaluationOrder)
    try checkExpressions()
  }

  /// The place of the parameter of that name.
  public func place(of name: String) -> Int? {
    places[name].flatMap { $0 < parameters.count ? $0 : nil }
  }

  /// Whether there is a parameter of that name, searched or derived.
  func isKnown(_ name: String) -> Bool { places[name] != nil }

  private static func order(
    _ parameters: [Parameter], _ places: [String: Int]
  ) throws(SearchError) -> [Int] {
    var order: [Int] = []
    var isPlaced = Array(repeating: false, count: parameters.count)
    while order.count < parameters.count {
      let before = order.count
      for (place, parameter) in parameters.enumerated() where !isPlaced[place] {
        let asked = parameter.condition?.names ?? []
        if let unknown = asked.first(where: { places[$0].map { $0 >= parameters.count } ?? true }) {
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

  // MARK: - Counting

  /// How many points there are, those that relations forbid included; nil when there is no end of them, `Int.max` when
  /// there are that many or more, or too many conditions to count them.
  public var cardinality: Int? { enumeration?.count }

  /// The point at `index`, from 0, of all points: parameters in order, the last one changing fastest. Where some have
  /// conditions, those they ask about come before them in this order.
  ///
  /// Nil beyond the end, and for a space that is infinite or too large to count.
  public func point(at index: Int) -> Point? {
    guard let enumeration, enumeration.count < Int.max, (0..<enumeration.count).contains(index) else {
      return nil
    }
    let digits = enumeration.digits(at: index)
    return point(
      zip(parameters, digits).map { parameter, digit in digit.flatMap { parameter.domain.value(at: $0) } })
  }

  /// The point with these values by dotted name, as `Point.flat` gave them.
  ///
  /// Nil unless there is a value for every parameter that always has one, and for nothing unknown. Whether a value lies in
  /// its domain is not asked: a point that was tried stays readable when the file has changed.
  public func point(flat: JSONValue) -> Point? {
    guard let members = flat.object, members.keys.allSatisfy({ places[$0] != nil }) else { return nil }
    var point = Point()
    for parameter in parameters {
      guard let value = members[parameter.name] else {
        guard parameter.condition != nil else { return nil }
        continue
      }
      point.set(parameter.path, to: value)
    }
    for parameter in derived {
      if let value = members[parameter.name] { point.set(parameter.path, to: value) }
    }
    return point
  }

  // MARK: - Expressions

  /// The point with these values, one a parameter, and those derived from them.
  func point(_ values: [JSONValue?]) -> Point {
    var point = Point()
    for (parameter, value) in zip(parameters, values) {
      if let value { point.set(parameter.path, to: value) }
    }
    for (parameter, value) in zip(derived, derivedValues(values)) {
      if let value { point.set(parameter.path, to: value) }
    }
    return point
  }

  /// Whether a point with these values, one a parameter, may be tried: every relation holds, and every derived parameter
  /// that has a value has a finite one.
  func allows(_ values: [JSONValue?]) -> Bool {
    guard !relations.isEmpty || !derived.isEmpty else { return true }
    let all = values + derivedValues(values)
    guard all.allSatisfy({ if case .double(let number)? = $0 { number.isFinite } else { true } }) else {
      return false
    }
    return relations.allSatisfy { $0.holds { name in places[name].flatMap { all[$0] } } }
  }

  /// What forbids a point, in words; nil: it may be tried.
  public func objection(to point: Point) -> String? {
    let values = parameters.map { point[$0.name] }
    guard !allows(values) else { return nil }
    let all = values + derivedValues(values)
    let broken = relations.first { !$0.holds { name in places[name].flatMap { all[$0] } } }
    return broken.map { "it does not meet '\($0.text)'" } ?? "a derived parameter has no finite value there"
  }

  private func derivedValues(_ values: [JSONValue?]) -> [JSONValue?] {
    var all = values
    for parameter in derived {
      all.append(parameter.value { name in places[name].flatMap { $0 < all.count ? all[$0] : nil } })
    }
    return Array(all.dropFirst(values.count))
  }

  private func checkExpressions() throws(SearchError) {
    for (place, parameter) in derived.enumerated() {
      for name in parameter.expression.names {
        if let fault = fault(of: name, before: parameters.count + place) {
          throw .invalidRule(parameter: parameter.name, message: fault)
        }
      }
    }
    for relation in relations {
      for name in relation.names {
        if let fault = fault(
          of: name, before: places.count, hint: "; texts stand in quotes: \(name) == 'a text'")
        {
          throw .invalidRelation(relation.text, message: fault)
        }
      }
      for (name, text) in relation.texts {
        if let fault = fault(of: name, as: text) {
          throw .invalidRelation(relation.text, message: fault)
        }
      }
    }
  }

  /// Why no expression may name this; nil: it may.
  ///
  /// - Parameter hint: what to do where its values are no numbers.
  private func fault(of name: String, before end: Int, hint: String = "") -> String? {
    guard let place = places[name], place < end else {
      let known = parameters.map(\.name) + derived.map(\.name)
      if places[name] != nil { return "it names '\(name)', which is computed after it" }
      let near = nearest(to: name, in: known).map { "; did you mean '\($0)'?" } ?? ""
      return "it names '\(name)', which is no parameter\(near)"
    }
    guard place < parameters.count, !parameters[place].domain.isNumeric else { return nil }
    return "it names '\(name)', which has values that are no numbers\(hint)"
  }

  /// Why no rule may compare a parameter with a text; nil: one may.
  private func fault(of name: String, as text: String) -> String? {
    guard let place = places[name] else { return fault(of: name, before: places.count) }
    let values: [JSONValue]? =
      switch place < parameters.count ? parameters[place].domain : nil {
      case .constant(let value): [value]
      case .categorical(let values, _), .ordinal(let values): values
      case .integers, .real, nil: nil
      }
    guard let values else { return "it compares '\(name)', which is a number, with the text '\(text)'" }
    guard !values.contains(.string(text)) else { return nil }
    let near = nearest(to: text, in: values.compactMap(\.string)).map { "; did you mean '\($0)'?" } ?? ""
    return "'\(name)' never has the value '\(text)'\(near)"
  }
}
