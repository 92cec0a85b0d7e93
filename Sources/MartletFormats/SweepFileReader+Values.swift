// Typed reading of a file's keys, with flaws that say what was expected.

import Foundation
import MartletModel
import OrderedCollections

/// The members of one mapping and its own path, for messages.
struct FileSection {
  var members: [FileNode.Member]
  var mark: FileMark
  var path: String

  subscript(key: String) -> FileNode.Member? { members.first { $0.key == key } }

  func path(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }
}

extension SweepFileReader {
  // MARK: - Kinds

  /// A text that is not empty; a number or truth value is taken as it is written.
  mutating func text(_ member: Member?, in section: FileSection) -> String? {
    guard let member else { return nil }
    guard case .scalar(let value, let text) = member.value.content, !value.isNull else {
      flaws.append(wrong(member, in: section, expected: "a text"))
      return nil
    }
    guard text.contains(where: { !$0.isWhitespace }) else {
      flaws.append(empty(member, in: section, expected: "a text"))
      return nil
    }
    return text
  }

  mutating func whole(_ member: Member?, in section: FileSection, atLeast least: Int) -> Int? {
    guard let member else { return nil }
    let expected = least == .min ? "a whole number" : "a whole number of \(least) or more"
    guard case .scalar(let value, _) = member.value.content, let number = value.int, number >= least else {
      flaws.append(wrong(member, in: section, expected: expected))
      return nil
    }
    return Int(number)
  }

  mutating func number(_ member: Member?, in section: FileSection) -> Double? {
    guard let member else { return nil }
    switch member.value.content {
    case .scalar(.int(let number), _): return Double(number)
    case .scalar(.double(let number), _) where number.isFinite: return number
    case .scalar, .list, .object:
      flaws.append(wrong(member, in: section, expected: "a number"))
      return nil
    }
  }

  /// Seconds, or text like `90s`, `15m`, `1h30m`, `2d`.
  mutating func seconds(_ member: Member?, in section: FileSection, mayBeZero: Bool = false) -> Double? {
    guard let member else { return nil }
    let seconds: Double? =
      switch member.value.content {
      case .scalar(.int(let number), _): Double(number)
      case .scalar(.double(let number), _): number
      case .scalar(.string(let text), _): Self.seconds(text)
      case .scalar, .list, .object: nil
      }
    // Beyond a century it is a slip, and would overflow a deadline.
    guard let seconds, seconds > 0 || mayBeZero && seconds == 0, seconds < 3.2e9 else {
      flaws.append(wrong(member, in: section, expected: "seconds, or a time like 90s, 15m, 2h or 1h30m"))
      return nil
    }
    return seconds
  }

  private static func seconds(_ text: String) -> Double? {
    let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
    var sum = 0.0
    var digits = ""
    for character in text where character != " " {
      if let unit = units[character] {
        guard let number = Double(digits) else { return nil }
        sum += number * unit
        digits = ""
      } else if character.isASCII, character.isNumber || character == "." {
        digits.append(character)
      } else {
        return nil
      }
    }
    if digits.isEmpty { return sum }
    return text == digits ? Double(digits) : nil
  }

  mutating func choice(_ member: Member?, in section: FileSection, among choices: [String]) -> String? {
    guard let member, let name = text(member, in: section) else { return nil }
    if choices.contains(name) { return name }
    let expected = choices.joined(separator: choices.count == 2 ? " or " : ", ")
    flaws.append(
      Flaw(
        at: member.value.mark, key: section.path(member.key), expected: expected,
        nearest: suggestion(for: name, among: choices),
        message: "'\(section.path(member.key))' must be \(expected), not '\(name)'"))
    return nil
  }

  /// A mapping that is not empty.
  mutating func section(_ member: Member?, in section: FileSection, example: String) -> FileSection? {
    guard let member else { return nil }
    guard let members = member.value.members else {
      flaws.append(wrong(member, in: section, expected: "keys with values, like \(member.key): \(example)"))
      return nil
    }
    guard !members.isEmpty else {
      flaws.append(empty(member, in: section, expected: "keys with values, like \(member.key): \(example)"))
      return nil
    }
    return FileSection(members: members, mark: member.value.mark, path: section.path(member.key))
  }

  // MARK: - Keys

  /// The member, or the flaw that it is missing, unless a misspelt one stands in its place and was told already.
  @discardableResult
  mutating func require(_ key: String, in section: FileSection, expected: String) -> Member? {
    if let member = section[key] { return member }
    if !flaws.contains(where: { $0.nearest == key && $0.key.map(section.owns) == true }) {
      flaws.append(
        Flaw(
          at: section.members.first?.mark ?? section.mark, key: section.path(key), expected: expected,
          message: "the key '\(section.path(key))' is missing: it says \(expected)"))
    }
    return nil
  }

  mutating func checkKeys(of section: FileSection, known: [String], ignored: [String] = []) {
    for member in section.members where !known.contains(member.key) && !ignored.contains(member.key) {
      flaws.append(unknown(member, in: section, known: known))
    }
  }

  func unknown(_ member: Member, in section: FileSection, known: [String]) -> Flaw {
    let place = section.path.isEmpty ? "" : " in '\(section.path)'"
    return Flaw(
      at: member.mark, key: section.path(member.key), expected: "one of \(known.joined(separator: ", "))",
      nearest: suggestion(for: member.key, among: known), message: "unknown key '\(member.key)'\(place)")
  }

  // MARK: - Words

  func wrong(_ member: Member, in section: FileSection, expected: String) -> Flaw {
    if case .scalar(.null, _) = member.value.content { return empty(member, in: section, expected: expected) }
    return Flaw(
      at: member.value.mark, key: section.path(member.key), expected: expected,
      message: "'\(section.path(member.key))' must be \(expected), not \(words(for: member.value))")
  }

  func empty(_ member: Member, in section: FileSection, expected: String) -> Flaw {
    Flaw(
      at: member.mark, key: section.path(member.key), expected: expected,
      message: "'\(section.path(member.key))' is empty: it must be \(expected)")
  }

  /// A value as a message shows it.
  func words(for node: FileNode) -> String {
    switch node.content {
    case .scalar(.null, _): "nothing"
    case .scalar(_, let text): "'\(text.count > 60 ? text.prefix(60) + "…" : text)'"
    case .list: "a list"
    case .object: "keys with values"
    }
  }

  /// The name most like `name`, or the one it abbreviates.
  func suggestion(for name: String, among names: [String]) -> String? {
    if let similar = nearest(to: name, in: names) { return similar }
    guard name.count >= 3 else { return nil }
    return names.first { $0.hasPrefix(name.lowercased()) || name.lowercased().hasPrefix($0) }
  }
}

extension FileSection {
  /// Whether `path` is that of a member of this section itself.
  fileprivate func owns(_ path: String) -> Bool {
    let key = self.path.isEmpty ? path[...] : path.dropFirst(self.path.count + 1)
    return path.hasPrefix(self.path) && members.contains { $0.key == key }
  }
}
