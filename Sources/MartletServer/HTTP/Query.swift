// The query of an address: only what the route knows, each at most once.

import MartletModel

/// The parameters behind the `?`.
struct Query: Sendable {
  private let values: [String: String]

  /// - Parameter known: what the route takes.
  /// - Throws: `Problem` for an unknown parameter, naming the nearest, for one given twice, and for bad escapes.
  init(_ text: Substring?, known: [String]) throws(Problem) {
    var values: [String: String] = [:]
    for pair in (text ?? "").split(separator: "&") {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      // Forms write a space as '+', and so do most libraries.
      guard let name = percentDecoded(parts[0].replacing("+", with: " ")),
        let value = percentDecoded(parts.count > 1 ? parts[1].replacing("+", with: " ") : "")
      else {
        throw Problem(.badRequest, "The address has an escape that is no UTF-8 in '\(pair.prefix(100))'.")
      }
      guard known.contains(name) else {
        throw Problem(
          .badRequest, "There is no parameter '\(name.prefix(100))' here.",
          hint: nearest(to: String(name.prefix(100)), in: known).map { "Did you mean '\($0)'?" }
            ?? (known.isEmpty
              ? "This address takes no parameters." : "Known are \(known.joined(separator: ", "))."))
      }
      guard values.updateValue(value, forKey: name) == nil else {
        throw Problem(.badRequest, "The parameter '\(name)' is given twice.")
      }
    }
    self.values = values
  }

  /// Nil when it is absent or empty.
  func string(_ name: String) -> String? { values[name].flatMap { $0.isEmpty ? nil : $0 } }

  func int(_ name: String, in range: ClosedRange<Int> = .min ... .max) throws(Problem) -> Int? {
    guard let text = string(name) else { return nil }
    guard let number = Int(text) else {
      throw Problem(.badRequest, "The parameter '\(name)' must be a whole number, not '\(text.prefix(100))'.")
    }
    guard range.contains(number) else {
      let most = range.upperBound == .max ? "or more" : "to \(range.upperBound)"
      throw Problem(
        .badRequest, "The parameter '\(name)' must be \(range.lowerBound) \(most), not \(number).")
    }
    return number
  }

  func bool(_ name: String) throws(Problem) -> Bool? {
    guard let text = string(name) else { return nil }
    guard let flag = Bool(text) else {
      throw Problem(.badRequest, "The parameter '\(name)' must be true or false, not '\(text.prefix(100))'.")
    }
    return flag
  }

  func choice<T: RawRepresentable & CaseIterable>(_ name: String, _: T.Type) throws(Problem) -> T?
  where T.RawValue == String {
    guard let text = string(name) else { return nil }
    return try Self.parse(text, as: T.self, of: name)
  }

  /// A comma list.
  func choices<T: RawRepresentable & CaseIterable & Hashable>(
    _ name: String, _: T.Type
  ) throws(Problem) -> Set<T>? where T.RawValue == String {
    guard let text = string(name) else { return nil }
    var all = Set<T>()
    for part in text.split(separator: ",") { all.insert(try Self.parse(String(part), as: T.self, of: name)) }
    return all
  }

  private static func parse<T: RawRepresentable & CaseIterable>(
    _ text: String, as: T.Type, of name: String
  ) throws(Problem) -> T where T.RawValue == String {
    if let value = T(rawValue: text) { return value }
    let known = T.allCases.map(\.rawValue)
    throw Problem(
      .badRequest, "The parameter '\(name)' has no value '\(text.prefix(100))'.",
      hint: nearest(to: String(text.prefix(100)), in: known).map { "Did you mean '\($0)'?" }
        ?? "Known are \(known.joined(separator: ", ")).")
  }

  func page() throws(Problem) -> PageRequest {
    PageRequest(limit: try int("limit", in: 1...1_000) ?? 100, cursor: string("cursor"))
  }
}

/// Undoes percent-encoding (RFC 3986 §2.1); nil for a broken escape or bytes that are no UTF-8.
func percentDecoded(_ text: some StringProtocol) -> String? {
  guard text.utf8.contains(UInt8(ascii: "%")) else { return String(text) }
  var bytes: [UInt8] = []
  var rest = Array(text.utf8)[...]
  while let byte = rest.popFirst() {
    guard byte == UInt8(ascii: "%") else {
      bytes.append(byte)
      continue
    }
    guard rest.count >= 2, let value = hexadecimalValue(rest.removeFirst()),
      let low = hexadecimalValue(rest.removeFirst())
    else { return nil }
    bytes.append(value << 4 | low)
  }
  return String(validating: bytes, as: UTF8.self)
}

private func hexadecimalValue(_ digit: UInt8) -> UInt8? {
  switch digit {
  case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
  case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
  case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
  default: nil
  }
}
