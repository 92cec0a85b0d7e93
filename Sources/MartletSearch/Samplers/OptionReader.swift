// A method's own settings, read with words for what is wrong.

import MartletModel
import OrderedCollections

/// Reads the options of one method; what was not read when `finish` is called is refused.
struct OptionReader {
  private let method: String
  private let options: JSONObject
  private var known: [String] = []

  init(_ options: JSONObject, of method: String) {
    self.options = options
    self.method = method
  }

  mutating func int(_ name: String, default usual: Int, in range: ClosedRange<Int>) throws(SearchError) -> Int
  {
    guard let value = take(name) else { return usual }
    guard let number = value.int.map({ Int($0) }), range.contains(number) else {
      throw refused(name, "must be a whole number from \(range.lowerBound) to \(range.upperBound)", value)
    }
    return number
  }

  mutating func double(
    _ name: String, default usual: Double, in range: ClosedRange<Double>
  ) throws(SearchError) -> Double {
    guard let value = take(name) else { return usual }
    guard let number = value.double, range.contains(number) else {
      throw refused(name, "must be a number from \(range.lowerBound) to \(range.upperBound)", value)
    }
    return number
  }

  mutating func bool(_ name: String, default usual: Bool) throws(SearchError) -> Bool {
    guard let value = take(name) else { return usual }
    guard case .bool(let answer) = value else { throw refused(name, "must be true or false", value) }
    return answer
  }

  mutating func choice<Choice: RawRepresentable & CaseIterable>(
    _ name: String, default usual: Choice
  ) throws(SearchError) -> Choice where Choice.RawValue == String {
    guard let value = take(name) else { return usual }
    guard let choice = value.string.flatMap(Choice.init(rawValue:)) else {
      let names = Choice.allCases.map { "'\($0.rawValue)'" }.joined(separator: ", ")
      throw refused(name, "must be one of \(names)", value)
    }
    return choice
  }

  /// - Throws: for an option nobody has read.
  func finish() throws(SearchError) {
    guard let unknown = options.keys.first(where: { !known.contains($0) }) else { return }
    throw .unknownOption(
      method: method, name: unknown, nearest: nearest(to: unknown, in: known), known: known)
  }

  private mutating func take(_ name: String) -> JSONValue? {
    known.append(name)
    return options[name]
  }

  private func refused(_ name: String, _ rule: String, _ value: JSONValue) -> SearchError {
    .invalidOption(method: method, name: name, message: "\(rule), not \(value.text)")
  }
}
