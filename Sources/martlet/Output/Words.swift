// Numbers, times and durations in few characters, for people.

import Foundation
import MartletModel

enum Words {
  /// Five significant digits, whole numbers in full.
  static func number(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Inf" : "Inf" }
    if let whole = Int64(exactly: value), abs(whole) < 1_000_000_000 { return String(whole) }
    return String(format: "%.5g", value)
  }

  /// A parameter's or metric's value.
  static func value(_ value: JSONValue?) -> String {
    switch value {
    case nil, .null: ""
    case .string(let text): text
    case .int(let whole): String(whole)
    case .double(let number): self.number(number)
    case .bool, .array, .object: value?.text ?? ""
    }
  }

  /// "4.2 s", "3 min 10 s", "1 h 5 min", "2 d 3 h".
  static func duration(_ seconds: Double) -> String { Spoken.duration(seconds) }

  /// "3 min ago"; the date when it is longer ago than a month.
  static func ago(_ microseconds: Int64, now: Date = Date()) -> String {
    let seconds = now.timeIntervalSince1970 - Double(microseconds) / 1e6
    switch seconds {
    case ..<1: return "now"
    case ..<60: return "\(Int(seconds)) s ago"
    case ..<3600: return "\(Int(seconds / 60)) min ago"
    case ..<86_400: return "\(Int(seconds / 3600)) h ago"
    case ..<2_592_000: return "\(Int(seconds / 86_400)) d ago"
    default: return String(iso(microseconds).prefix(10))
    }
  }

  /// "in 3 min"; "any moment" when it should have come to pass.
  static func ahead(_ microseconds: Int64, now: Date = Date()) -> String {
    let seconds = Double(microseconds) / 1e6 - now.timeIntervalSince1970
    switch seconds {
    case ..<1: return "any moment"
    case ..<60: return "in \(Int(seconds)) s"
    case ..<3600: return "in \(Int(seconds / 60)) min"
    case ..<86_400: return "in \(Int(seconds / 3600)) h \(Int(seconds) % 3600 / 60) min"
    default: return "in \(Int(seconds / 86_400)) d"
    }
  }

  /// ISO 8601 in UTC, to the millisecond.
  static func iso(_ microseconds: Int64) -> String {
    Date(timeIntervalSince1970: Double(microseconds) / 1e6)
      .formatted(
        .iso8601.year().month().day().time(includingFractionalSeconds: true).timeZone(separator: .omitted))
  }

  /// "1.4 GB": powers of ten, as disks are sold.
  static func bytes(_ count: Int64) -> String {
    var value = Double(count)
    for unit in ["B", "kB", "MB", "GB"] {
      if value < 1000 { return unit == "B" ? "\(count) B" : String(format: "%.1f %@", value, unit) }
      value /= 1000
    }
    return String(format: "%.1f TB", value)
  }

  /// "1 run", "2 runs".
  static func count(_ number: Int64, _ noun: String) -> String {
    "\(number) \(noun)\(number == 1 ? "" : "s")"
  }

  /// Arguments as a shell would take them.
  static func command(_ arguments: [String]) -> String {
    arguments.map { argument in
      let isPlain =
        !argument.isEmpty
        && argument.utf8.allSatisfy { byte in
          switch byte {
          case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
          default: "@%+=:,./-_".utf8.contains(byte)
          }
        }
      return isPlain ? argument : "'" + argument.replacing("'", with: #"'\''"#) + "'"
    }.joined(separator: " ")
  }
}

extension Words {
  /// Microseconds since 1970.
  static var now: Int64 { Int64(Date().timeIntervalSince1970 * 1e6) }

  /// Reads "90s", "30m", "12h", "30d", "2w" or plain seconds; nil when it is none of these, or not above zero.
  static func seconds(_ text: String) -> Double? {
    let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800]
    let factor = text.last.flatMap { units[$0] }
    guard let number = Double(factor == nil ? text : String(text.dropLast())), number.isFinite, number > 0
    else {
      return nil
    }
    return number * (factor ?? 1)
  }
}
