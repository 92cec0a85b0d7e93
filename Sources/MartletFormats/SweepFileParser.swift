// The text of a sweep file, YAML or JSON, to a tree with places.

import MartletModel
import OrderedCollections
import Yams

/// Reads YAML 1.2 (core schema) and JSON.
///
/// Yams gives the nodes; what a plain scalar means is decided here, because Yams follows YAML 1.1 there: it would make
/// `no` false and leave `1e-5` a string.
struct SweepFileParser {
  typealias Flaw = SweepFileError.Flaw

  /// What aliases may unfold to: enough for any sweep, too little for a file made to fill the memory.
  private static let mostNodes = 100_000

  private let text: String
  private var nodes = 0

  static func parse(_ text: String, filename: String?) throws(Flaw) -> FileNode {
    guard text.contains(where: { !$0.isWhitespace }) else {
      throw Flaw(line: 1, column: 1, message: "the file is empty")
    }
    guard text.first(where: { !$0.isWhitespace && $0 != "\u{FEFF}" }) == "{" else { return try yaml(text) }
    // JSON proper goes through the JSON reader, which knows all its escapes; YAML's flow style begins alike.
    let json: JSONValue
    do {
      json = try JSONValue.parse(text, allowsRepeatedKeys: false)
    } catch {
      do {
        return try yaml(text)
      } catch let flaw {
        guard filename?.hasSuffix(".json") != false else { throw flaw }
        throw Flaw(line: error.line, column: error.column, message: "this is no JSON: \(error.message)")
      }
    }
    // A valid JSON text that YAML cannot place still has its values; they then stand at 1:1.
    return FileNode(json, places: try? yaml(text))
  }

  private static func yaml(_ text: String) throws(Flaw) -> FileNode {
    let root: Node?
    do {
      root = try Parser(yaml: text, encoding: .utf8).singleRoot()
    } catch let error as YamlError {
      throw Flaw(error, in: text)
    } catch {
      throw Flaw(line: 1, column: 1, message: "this is no YAML: \(error)")
    }
    guard let root else { throw Flaw(line: 1, column: 1, message: "the file is empty") }
    var parser = SweepFileParser(text: text)
    return try parser.convert(root)
  }

  private init(text: String) { self.text = text }

  private mutating func convert(_ node: Node) throws(Flaw) -> FileNode {
    let mark = FileMark(node.mark)
    nodes += 1
    guard nodes <= Self.mostNodes else {
      throw Flaw(at: mark, message: "the file unfolds to too many values")
    }
    switch node {
    case .scalar(let scalar):
      return FileNode(mark: mark, content: .scalar(try Self.value(of: scalar, at: mark), text: scalar.string))
    case .sequence(let sequence):
      try Self.check(sequence.tag, isOne: ["", "?", "!", "tag:yaml.org,2002:seq"], at: mark)
      var items: [FileNode] = []
      for item in sequence { items.append(try convert(item)) }
      return FileNode(mark: mark, content: .list(items))
    case .mapping(let mapping):
      try Self.check(mapping.tag, isOne: ["", "?", "!", "tag:yaml.org,2002:map"], at: mark)
      return try convert(mapping, at: mark)
    case .alias: throw Flaw(at: mark, message: "this alias refers to nothing")
    }
  }

  private mutating func convert(_ mapping: Node.Mapping, at mark: FileMark) throws(Flaw) -> FileNode {
    var members: [FileNode.Member] = []
    var merged: [FileNode.Member] = []
    var marks: [String: FileMark] = [:]
    for (key, value) in mapping {
      let place = FileMark(key.mark)
      guard case .scalar(let name) = key else {
        throw Flaw(at: place, expected: "a name", message: "a key must be a name, not a list or mapping")
      }
      if name.string == "<<", name.style == .plain {
        merged += try mergedMembers(convert(value))
        continue
      }
      // Yams has compared the keys as values, for which 1 and "1" differ.
      if let first = marks.updateValue(place, forKey: name.string) {
        throw Flaw(repeated: name.string, first: first, again: place)
      }
      members.append(FileNode.Member(key: name.string, mark: place, value: try convert(value)))
    }
    // YAML's merge key: what the mapping says itself goes before what it takes over, and earlier before later.
    for member in merged where marks.updateValue(member.mark, forKey: member.key) == nil {
      members.append(member)
    }
    return FileNode(mark: mark, content: .object(members))
  }

  private func mergedMembers(_ node: FileNode) throws(Flaw) -> [FileNode.Member] {
    if let members = node.members { return members }
    guard let items = node.items else {
      throw Flaw(at: node.mark, key: "<<", expected: "a mapping", message: "'<<' must take over a mapping")
    }
    var members: [FileNode.Member] = []
    for item in items { members += try mergedMembers(item) }
    return members
  }
}

// MARK: - Tags and scalars

extension SweepFileParser {
  private static func check(_ tag: Tag, isOne known: [String], at mark: FileMark) throws(Flaw) {
    guard known.contains(tag.description) else {
      throw Flaw(at: mark, message: "the tag '\(tag)' is not understood here")
    }
  }

  /// YAML 1.2, 10.3.2: tag resolution of the core schema.
  private static func value(of scalar: Node.Scalar, at mark: FileMark) throws(Flaw) -> JSONValue {
    switch scalar.tag.description {
    case "", "?":
      return scalar.style == .plain ? plain(scalar.string) : .string(scalar.string)
    case "!", "tag:yaml.org,2002:str": return .string(scalar.string)
    case "tag:yaml.org,2002:int":
      if case .int(let number) = plain(scalar.string) { return .int(number) }
      throw Flaw(at: mark, expected: "a whole number", message: "'\(scalar.string)' is no whole number")
    case "tag:yaml.org,2002:float":
      if let number = plain(scalar.string).double { return .double(number) }
      throw Flaw(at: mark, expected: "a number", message: "'\(scalar.string)' is no number")
    case "tag:yaml.org,2002:bool":
      if case .bool(let flag) = plain(scalar.string) { return .bool(flag) }
      throw Flaw(at: mark, expected: "true or false", message: "'\(scalar.string)' is neither true nor false")
    case "tag:yaml.org,2002:null": return .null
    default: throw Flaw(at: mark, message: "the tag '\(scalar.tag)' is not understood here")
    }
  }

  static func plain(_ text: String) -> JSONValue {
    switch text {
    case "", "~", "null", "Null", "NULL": return .null
    case "true", "True", "TRUE": return .bool(true)
    case "false", "False", "FALSE": return .bool(false)
    case ".nan", ".NaN", ".NAN": return .double(.nan)
    case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF": return .double(.infinity)
    case "-.inf", "-.Inf", "-.INF": return .double(-.infinity)
    default: return number(text) ?? .string(text)
    }
  }

  private static func number(_ text: String) -> JSONValue? {
    if text.hasPrefix("0o") || text.hasPrefix("0x") {
      let digits = text.dropFirst(2)
      guard digits.utf8.first.map({ $0 != UInt8(ascii: "-") && $0 != UInt8(ascii: "+") }) == true else {
        return nil
      }
      return Int64(digits, radix: text.hasPrefix("0o") ? 8 : 16).map(JSONValue.int)
    }
    guard let kind = NumberSyntax(text) else { return nil }
    if kind == .whole, let number = Int64(text) { return .int(number) }
    // Swift's Double takes neither ".5" nor "5." in all versions.
    let unsigned = text.drop { $0 == "+" || $0 == "-" }
    let mantissa = unsigned.prefix { $0 != "e" && $0 != "E" }
    let exponent = unsigned.dropFirst(mantissa.count)
    let literal = "0\(mantissa)\(mantissa.hasSuffix(".") ? "0" : "")\(exponent)"
    return Double(literal).map { .double(text.hasPrefix("-") ? -$0 : $0) }
  }
}

/// How YAML 1.2 writes decimal numbers: `[-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`.
private enum NumberSyntax {
  case whole, real

  init?(_ text: String) {
    var rest = text.utf8[...]
    func digits() -> Int {
      let end = rest.firstIndex { !(0x30...0x39).contains($0) } ?? rest.endIndex
      defer { rest = rest[end...] }
      return rest.distance(from: rest.startIndex, to: end)
    }
    func accept(_ characters: StaticString) -> Bool {
      guard let first = rest.first, "\(characters)".utf8.contains(first) else { return false }
      rest = rest.dropFirst()
      return true
    }
    _ = accept("+-")
    let whole = digits()
    let hasPoint = accept(".")
    let fraction = hasPoint ? digits() : 0
    guard whole + fraction > 0 else { return nil }
    let hasExponent = accept("eE")
    if hasExponent {
      _ = accept("+-")
      guard digits() > 0 else { return nil }
    }
    guard rest.isEmpty else { return nil }
    self = hasPoint || hasExponent ? .real : .whole
  }
}

// MARK: - Places

extension FileMark {
  fileprivate init(_ mark: Mark?) { self.init(line: mark?.line ?? 1, column: mark?.column ?? 1) }
}

extension FileNode {
  /// A JSON value at the places that YAML found for the same text.
  fileprivate init(_ value: JSONValue, places: FileNode?) {
    mark = places?.mark ?? FileMark()
    switch value {
    case .array(let values):
      let items = places?.items
      content = .list(
        values.enumerated().map {
          FileNode($1, places: items.flatMap { $0.count == values.count ? $0 : nil }?[$0])
        })
    case .object(let object):
      content = .object(
        object.map { key, value in
          let place = places?[key]
          return Member(
            key: key, mark: place?.mark ?? FileMark(), value: FileNode(value, places: place?.value))
        })
    case .null, .bool, .int, .double, .string:
      var text = value.string ?? value.text
      if case .scalar(_, let written) = places?.content { text = written }
      content = .scalar(value, text: text)
    }
  }
}

extension SweepFileError.Flaw {
  init(
    at mark: FileMark, key: String? = nil, expected: String? = nil, nearest: String? = nil, message: String
  ) {
    self.init(
      line: mark.line, column: mark.column, key: key, expected: expected, nearest: nearest, message: message)
  }

  fileprivate init(repeated key: String, first: FileMark, again: FileMark) {
    self.init(
      at: again, key: key, message: "the key '\(key)' is given twice; the first time is in line \(first.line)"
    )
  }

  fileprivate init(_ error: YamlError, in text: String) {
    switch error {
    case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
      .composer(let context, let problem, let mark, _):
      let words = [problem, context?.text].compactMap { $0 }.joined(separator: " ")
      self.init(at: FileMark(mark), message: "this is no YAML: \(words)")
    case .reader(let problem, let offset, _, _):
      let before = text.prefix(offset ?? 0)
      let line = before.count(where: \.isNewline) + 1
      let column = before.reversed().prefix { !$0.isNewline }.count + 1
      self.init(line: line, column: column, message: "this is no YAML: \(problem)")
    case .duplicatedKeysInMapping(let keys, let context):
      let key = keys.first ?? ""
      let first = FileMark(context.mark)
      self.init(repeated: key, first: first, again: Self.second(key, after: first, in: text) ?? first)
    case .no, .memory, .writer, .emitter, .representer, .dataCouldNotBeDecoded:
      self.init(line: 1, column: 1, message: "this is no YAML: \(error)")
    }
  }

  /// Yams tells where a repeated key stands first; in block style its second place is in the same column below.
  private static func second(_ key: String, after first: FileMark, in text: String) -> FileMark? {
    let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    for (index, line) in lines.enumerated().dropFirst(first.line) {
      let rest = line.dropFirst(first.column - 1)
      let isIndented = line.prefix(first.column - 1).allSatisfy { $0 == " " || $0 == "-" }
      for name in [key, "\"\(key)\"", "'\(key)'"] where isIndented && rest.hasPrefix(name) {
        if rest.dropFirst(name.count).drop(while: { $0 == " " }).hasPrefix(":") {
          return FileMark(line: index + 1, column: first.column)
        }
      }
    }
    return nil
  }
}
