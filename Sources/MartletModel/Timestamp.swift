// Points in time as the store, the wire and the browser hold them.

/// Microseconds since 1970-01-01 00:00 UTC.
public struct Timestamp: Hashable, Comparable, Sendable {
  public var microseconds: Int64

  public init(microseconds: Int64) { self.microseconds = microseconds }

  /// Seconds since 1970-01-01 00:00 UTC; what is 290,000 years away is cut.
  public init(seconds: Double) {
    microseconds = Int64(exactly: (seconds * 1e6).rounded()) ?? (seconds < 0 ? .min : .max)
  }

  /// Since 1970-01-01 00:00 UTC.
  public var seconds: Double { Double(microseconds) / 1e6 }

  public static func < (a: Timestamp, b: Timestamp) -> Bool { a.microseconds < b.microseconds }
  public static func + (a: Timestamp, seconds: Double) -> Timestamp {
    Timestamp(microseconds: a.microseconds + Int64(seconds * 1e6))
  }
  /// Seconds from `b` to `a`.
  public static func - (a: Timestamp, b: Timestamp) -> Double {
    Double(a.microseconds - b.microseconds) / 1e6
  }

  /// To the second, for sentences: "2026-11-21 19:40:05 UTC".
  public var inWords: String {
    let seconds = microseconds >= 0 ? microseconds / 1_000_000 : (microseconds - 999_999) / 1_000_000
    let days = seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400
    let second = seconds - days * 86_400
    // Days since 0000-03-01 to a date of the Gregorian calendar: Howard Hinnant, "chrono-Compatible Low-Level Date
    // Algorithms", civil_from_days.
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return
      "\(year)-\(two(month))-\(two(day)) \(two(second / 3_600)):\(two(second / 60 % 60)):\(two(second % 60)) UTC"
  }
}

/// Where the time comes from; passed in, so that tests and simulations have their own.
public protocol WallClock: Sendable {
  var now: Timestamp { get }
  /// Seconds that never jump: two readings tell how much time has passed, whatever the wall clock was set to.
  var uptime: Double { get }
}

extension WallClock {
  public var uptime: Double { Double(now.microseconds) / 1e6 }
}

extension JSONValue {
  public init(_ time: Timestamp?) { self = time.map { .int($0.microseconds) } ?? .null }
}
