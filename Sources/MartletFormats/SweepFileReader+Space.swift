// Parameters to a space: conditions, and points of a list.

import MartletModel
import MartletSearch
import OrderedCollections

extension SweepFileReader {
  /// The space of these parameters; nil, with the flaws told, when there is none.
  mutating func space(
    _ placed: [PlacedParameter], of file: FileSection, at mark: FileMark, key: String
  ) -> PlacedSpace? {
    let before = flaws.count
    readDerived(file)
    let relations = relations(file)
    guard flaws.count == before else { return nil }
    do {
      let space = try Space(
        placed.map(\.parameter), derived: derived.map(\.parameter), relations: relations.map(\.relation))
      return PlacedSpace(space: space, parameters: placed, mark: mark, key: key)
    } catch {
      let culprit: (mark: FileMark, path: String)? =
        switch error {
        case .repeatedParameter(let name):
          derived.last { $0.parameter.name == name }.map { ($0.mark, $0.path) }
            ?? placed.last { $0.parameter.name == name }.map { ($0.mark, $0.path) }
        case .invalidRule(let name, _), .invalidDomain(let name, _):
          placed.first { $0.parameter.name == name }.map { ($0.mark, $0.path) }
            ?? derived.first { $0.parameter.name == name }.map { ($0.mark, $0.path) }
        case .invalidRelation(let text, _):
          relations.first { $0.relation.text == text }.map { ($0.mark, $0.path) }
        default: nil
        }
      flaws.append(
        Flaw(
          at: culprit?.mark ?? mark, key: culprit?.path ?? key,
          expected: error == .emptySpace ? "at least one parameter" : nil, message: "\(error)"))
      return nil
    }
  }

  /// `derived: {value_weight: 1 - policy_weight}`.
  private mutating func readDerived(_ file: FileSection) {
    guard let section = section(file["derived"], in: file, example: "{value_weight: 1 - policy_weight}")
    else {
      return
    }
    for member in section.members { readDerived(member, in: section, path: [member.key]) }
  }

  /// One computed parameter; `path` is where its value belongs.
  mutating func readDerived(_ member: Member, in section: FileSection, path: [String]) {
    guard let text = text(member, in: section) else { return }
    do {
      let expression = try MetricExpression(parsingParameters: text)
      derived.append(
        PlacedExpression(
          parameter: DerivedParameter(path: path, expression: expression), mark: member.mark,
          path: section.path(member.key)))
    } catch {
      flaws.append(expressionFlaw(error, text, member, key: section.path(member.key)))
    }
  }

  /// `where: batch * accumulate <= 512`, or a list of such.
  private mutating func relations(
    _ file: FileSection
  ) -> [(relation: Relation, mark: FileMark, path: String)] {
    guard let member = file["where"] else { return [] }
    let items = member.value.items ?? [member.value]
    var relations: [(relation: Relation, mark: FileMark, path: String)] = []
    for (index, item) in items.enumerated() {
      let key = member.value.items == nil ? "where" : "where[\(index)]"
      let place = FileNode.Member(key: key, mark: item.mark, value: item)
      guard let text = text(place, in: file) else { continue }
      do {
        relations.append((try Relation(parsing: text), item.mark, key))
      } catch {
        flaws.append(expressionFlaw(error, text, place, key: key))
      }
    }
    return relations
  }

  private func expressionFlaw(
    _ error: ExpressionError, _ text: String, _ member: Member, key: String
  ) -> Flaw {
    var mark = member.value.mark
    // As it was written, without quotes, the text begins where its value does.
    if case .scalar(_, let written) = member.value.content, written == text {
      mark.column += error.range.lowerBound
    }
    return Flaw(at: mark, key: key, message: "'\(key)': \(error)")
  }

  /// `when: {optimizer: sgd}`, `{optimizer: [sgd, adam]}`, `{layers: {min: 2, max: 4}}`; several hold together.
  mutating func condition(_ member: Member?, in settings: FileSection) -> Condition? {
    guard let section = section(member, in: settings, example: "{optimizer: sgd}") else { return nil }
    var conditions: [Condition] = []
    for item in section.members {
      switch item.value.content {
      case .scalar(.null, _):
        flaws.append(empty(item, in: section, expected: "the value at which the parameter is there"))
      case .scalar(let value, _): conditions.append(.isOne(of: [value], item.key))
      case .list(let values) where !values.isEmpty:
        conditions.append(.isOne(of: values.map(\.value), item.key))
      case .list: flaws.append(empty(item, in: section, expected: "a list of values"))
      case .object:
        guard let bounds = self.section(item, in: section, example: "{min: 2}") else { continue }
        checkKeys(of: bounds, known: ["min", "max"])
        if let least = number(bounds["min"], in: bounds) { conditions.append(.atLeast(least, item.key)) }
        if let most = number(bounds["max"], in: bounds) { conditions.append(.atMost(most, item.key)) }
      }
    }
    return conditions.count > 1 ? .all(conditions) : conditions.first
  }

  /// Points that are tried first: `{lr: 0.1, width: 64}`, or `{name: wide, parameters: {lr: 0.1, width: 64}}`.
  mutating func points(_ file: FileSection, in placed: PlacedSpace) -> [NamedPoint] {
    guard let member = file["points"] else { return [] }
    guard let items = member.value.items else {
      flaws.append(wrong(member, in: file, expected: "a list of points, like [{lr: 0.1, width: 64}]"))
      return []
    }
    return points(items, key: "points", in: placed)
  }

  mutating func points(_ items: [FileNode], key: String, in placed: PlacedSpace) -> [NamedPoint] {
    let cube = UnitCube(placed.space)
    let isNamed = placed.space.place(of: "name") == nil
    var points: [NamedPoint] = []
    for (index, item) in items.enumerated() {
      let path = "\(key)[\(index)]"
      guard let members = item.members else {
        flaws.append(
          Flaw(
            at: item.mark, key: path, expected: "values by the names of parameters",
            message: "'\(path)' must be values by the names of parameters, not \(words(for: item))"))
        continue
      }
      let section = FileSection(members: members, mark: item.mark, path: path)
      let name = isNamed ? text(section["name"], in: section) : nil
      let inner = section["parameters"].flatMap { place in
        place.value.members.map {
          FileSection(members: $0, mark: place.value.mark, path: section.path(place.key))
        }
      }
      guard let point = point(inner ?? section, isNamed: isNamed && inner == nil, in: placed.space, cube)
      else {
        continue
      }
      if let name, points.contains(where: { $0.name == name }) {
        flaws.append(Flaw(at: item.mark, key: path, message: "two points are called '\(name)'"))
      }
      if points.contains(where: { $0.point.flat == point.flat }) {
        flaws.append(Flaw(at: item.mark, key: path, message: "'\(path)' is the same as a point before it"))
      }
      points.append(NamedPoint(name: name, point: point))
    }
    return points
  }

  private mutating func point(
    _ section: FileSection, isNamed: Bool, in space: Space, _ cube: UnitCube
  ) -> Point? {
    var values = JSONObject()
    var marks: [String: FileMark] = [:]
    let before = flaws.count
    func gather(_ section: FileSection, under prefix: String) {
      for member in section.members where !(prefix.isEmpty && isNamed && member.key == "name") {
        let name = prefix + member.key
        if space.place(of: name) == nil, let inner = member.value.members {
          gather(
            FileSection(members: inner, mark: member.value.mark, path: section.path(member.key)),
            under: "\(name).")
          continue
        }
        if space.place(of: name) == nil {
          flaws.append(
            Flaw(
              at: member.mark, key: section.path(member.key),
              nearest: suggestion(for: name, among: space.parameters.map(\.name)),
              message: "'\(name)' is no parameter of this sweep"))
        }
        (values[name], marks[name]) = (member.value.value, member.mark)
      }
    }
    gather(section, under: "")
    guard flaws.count == before else { return nil }
    // Constants need not be said.
    for parameter in space.parameters where values[parameter.name] == nil {
      if parameter.condition == nil, case .constant(let value) = parameter.domain {
        values[parameter.name] = value
      }
    }
    if let point = cube.point(like: Point(values: values)) { return point }
    // Which of them is to blame.
    let missing = space.parameters.first { values[$0.name] == nil && $0.condition == nil }
    if let missing {
      flaws.append(
        Flaw(
          at: section.mark, key: section.path, expected: "a value for '\(missing.name)'",
          message: "the point has no value for '\(missing.name)'"))
      return nil
    }
    let culprit = space.parameters.first { parameter in
      guard let value = values[parameter.name],
        let only = try? Space([Parameter(parameter.name, parameter.domain)])
      else { return false }
      return UnitCube(only).coordinates(of: Point(values: [parameter.name: value])) == nil
    }
    let mark = culprit.flatMap { marks[$0.name] } ?? section.mark
    let words =
      culprit.map { "\(values[$0.name] ?? .null) is no value that '\($0.name)' may have" }
      ?? "a value is there whose parameter has none at this point, or one is missing"
    flaws.append(Flaw(at: mark, key: section.path, message: words))
    return nil
  }
}
