// Values in the words of Python, which most trained programs read them with.

import Foundation
package import MartletModel

/// How Python writes values.
package enum PythonText {
  /// What `str(value)` gives: `True`, `None`, `5e-05`, `0.75`; lists and objects as JSON.
  package static func text(_ value: JSONValue) -> String {
    switch value {
    case .null: "None"
    case .bool(let flag): flag ? "True" : "False"
    case .int(let number): String(number)
    case .double(let number): text(number)
    case .string(let text): text
    case .array, .object: json(value)
    }
  }

  /// What `repr(number)` gives: the shortest digits that read back the same, with an exponent below 1e-4 and from
  /// 1e16 on.
  package static func text(_ number: Double) -> String {
    guard number.isFinite else { return number.isNaN ? "nan" : number < 0 ? "-inf" : "inf" }
    let sign = number.sign == .minus ? "-" : ""
    guard number != 0 else { return sign + "0.0" }
    let (digits, exponent) = decimal(number.magnitude)
    if exponent < -4 || exponent >= 16 {
      let fraction = digits.dropFirst()
      let power = exponent.magnitude < 10 ? "0\(exponent.magnitude)" : "\(exponent.magnitude)"
      return
        "\(sign)\(digits.prefix(1))\(fraction.isEmpty ? "" : ".\(fraction)")e\(exponent < 0 ? "-" : "+")\(power)"
    }
    if exponent < 0 { return sign + "0." + String(repeating: "0", count: -exponent - 1) + digits }
    let whole = digits.prefix(exponent + 1)
    let fraction = digits.dropFirst(exponent + 1)
    let zeros = String(repeating: "0", count: max(0, exponent + 1 - digits.count))
    return "\(sign)\(whole)\(zeros).\(fraction.isEmpty ? "0" : fraction)"
  }

  /// What `json.dumps(value)` gives, but for text beyond ASCII, which stays itself.
  package static func json(_ value: JSONValue) -> String {
    switch value {
    case .null, .bool, .int, .string: value.text
    // Python writes the bare words NaN and Infinity, and reads them.
    case .double(let number):
      number.isFinite ? text(number) : number.isNaN ? "NaN" : number < 0 ? "-Infinity" : "Infinity"
    case .array(let items): "[" + items.map(json).joined(separator: ", ") + "]"
    case .object(let members):
      "{" + members.map { "\(JSONValue.string($0.key).text): \(json($0.value))" }.joined(separator: ", ")
        + "}"
    }
  }

  /// What `format(number, ".2e")` gives.
  package static func scientific(_ number: Double, digits: Int = 2) -> String {
    number.isFinite ? String(format: "%.\(digits)e", number) : text(number)
  }

  /// The shortest digits, without leading or trailing zeros, and the power of ten of the first.
  private static func decimal(_ number: Double) -> (digits: String, exponent: Int) {
    // Swift's description has the shortest digits too, but lays them out by other rules.
    let parts = number.description.split(separator: "e")
    let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
    let whole = mantissa[0]
    let all = whole + (mantissa.count > 1 ? mantissa[1] : "")
    let shown = all.drop { $0 == "0" }
    let leading = all.count - shown.count
    let exponent = (parts.count > 1 ? Int(parts[1]) ?? 0 : 0) + whole.count - 1 - leading
    var digits = String(shown)
    while digits.count > 1, digits.hasSuffix("0") { digits.removeLast() }
    return (digits, exponent)
  }
}
