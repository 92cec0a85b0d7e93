// Words of a filter that are numbers, times and spans of time.

/// A time as precisely as it was written: `2026-11-21` is a day.
public struct FilterTime: Sendable, Hashable {
  /// Microseconds since 1970; the first that belongs to it.
  public var from: Int64
  /// The first that does not.
  public var to: Int64

  public init(from: Int64, to: Int64) { (self.from, self.to) = (from, to) }
}

enum FilterWords {
  /// A word as a value of its own kind: `true`, `null`, `nan`, `1e-3`, `10k`, else text.
  static func scalar(_ literal: FilterLiteral) -> FilterScalar {
    guard case .word(let word) = literal.form else { return .text(literal.text.inNormalForm) }
    switch word.lowercased() {
    case "null": return .null
    case "true": return .bool(true)
    case "false": return .bool(false)
    case "nan": return .notANumber
    default: return number(word).map(FilterScalar.number) ?? .text(word.inNormalForm)
    }
  }

  /// Decimal numbers, `inf`, and thousands (`k`), millions (`M`), milliards (`G`) and billions (`T`) of them.
  static func number(_ word: String) -> FilterNumber? {
    switch word.lowercased() {
    case "inf", "+inf", "infinity": return .double(.infinity)
    case "-inf", "-infinity": return .double(-.infinity)
    default: break
    }
    if let number = plainNumber(word) { return number }
    guard let last = word.last, let factor = factors[last], let number = plainNumber(String(word.dropLast()))
    else {
      return nil
    }
    switch number {
    case .int(let value):
      let (product, isTooLarge) = value.multipliedReportingOverflow(by: factor)
      return isTooLarge ? .double(Double(value) * Double(factor)) : .int(product)
    case .double(let value): return FilterNumber(value * Double(factor))
    }
  }

  private static let factors: [Character: Int64] = [
    "k": 1_000, "K": 1_000, "M": 1_000_000, "G": 1_000_000_000, "T": 1_000_000_000_000,
  ]

  private static func plainNumber(_ word: String) -> FilterNumber? {
    let digits = Set("0123456789")
    guard let first = word.first(where: { $0 != "-" && $0 != "+" }), digits.contains(first) || first == ".",
      word.allSatisfy({ digits.contains($0) || "+-.eE".contains($0) }), word.contains(where: digits.contains)
    else { return nil }
    if let whole = Int64(word) { return .int(whole) }
    guard let value = Double(word) else { return nil }
    return .double(value)
  }

  /// Seconds of `90`, `30s`, `15m`, `2h`, `1.5d` or `1w`.
  static func seconds(_ word: String) -> FilterNumber? {
    if let number = number(word) { return number }
    guard let last = word.last, let factor = units[last], let value = plainNumber(String(word.dropLast()))
    else {
      return nil
    }
    return FilterNumber(value.double * factor)
  }

  private static let units: [Character: Double] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800]

  /// `-2d` before now; a date, or a date and a time, with `Z` or an offset, else UTC; microseconds since 1970.
  static func time(_ word: String, now: Timestamp) -> FilterTime? {
    if let last = word.last, units[last] != nil, word.hasPrefix("-"), let span = seconds(word)?.double,
      span > -1e11
    {
      let moment = now.microseconds + Int64(span * 1e6)
      return FilterTime(from: moment, to: moment + 1)
    }
    if case .int(let value)? = plainNumber(word) {
      // Anything less is no time that a run could have: a year, most likely.
      return value.magnitude >= 10_000_000_000 && value < .max ? FilterTime(from: value, to: value + 1) : nil
    }
    return FilterDate.read(word)
  }
}

/// Dates and times after ISO 8601 (RFC 3339), and the beginnings of them.
enum FilterDate {
  static func read(_ text: String) -> FilterTime? {
    var rest = Substring(text)
    guard let year = take(4, &rest), (1...9999).contains(year) else { return nil }
    guard takeMark("-", &rest), let month = take(2, &rest), (1...12).contains(month) else { return nil }
    if rest.isEmpty {
      let next = month == 12 ? (year + 1, 1) : (year, month + 1)
      return day(year, month, 1).map { from in
        FilterTime(from: from * micro(86_400), to: (day(next.0, next.1, 1) ?? from) * micro(86_400))
      }
    }
    guard takeMark("-", &rest), let number = take(2, &rest), let day = day(year, month, number) else {
      return nil
    }
    let midnight = day * micro(86_400)
    if rest.isEmpty { return FilterTime(from: midnight, to: midnight + micro(86_400)) }
    guard takeMark("T", &rest) || takeMark("t", &rest), let hour = take(2, &rest), hour < 24,
      takeMark(":", &rest),
      let minute = take(2, &rest), minute < 60
    else { return nil }
    var from = midnight + micro(hour * 3_600 + minute * 60)
    var width = micro(60)
    if takeMark(":", &rest) {
      guard let second = take(2, &rest), second < 60 else { return nil }
      from += micro(second)
      width = micro(1)
      if takeMark(".", &rest) {
        let digits = rest.prefix { $0.isASCII && $0.isNumber }
        guard (1...6).contains(digits.count), let fraction = Int64(digits) else { return nil }
        rest = rest.dropFirst(digits.count)
        width = (digits.count..<6).reduce(1) { unit, _ in unit * 10 }
        from += fraction * width
      }
    }
    guard let offset = takeOffset(&rest), rest.isEmpty else { return nil }
    return FilterTime(from: from - micro(offset), to: from - micro(offset) + width)
  }

  private static func micro(_ seconds: Int64) -> Int64 { seconds * 1_000_000 }

  private static func take(_ count: Int, _ rest: inout Substring) -> Int64? {
    let digits = rest.prefix(count)
    guard digits.count == count, digits.allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
    rest = rest.dropFirst(count)
    return Int64(digits)
  }

  private static func takeMark(_ mark: Character, _ rest: inout Substring) -> Bool {
    guard rest.first == mark else { return false }
    rest.removeFirst()
    return true
  }

  /// Seconds east of UTC.
  private static func takeOffset(_ rest: inout Substring) -> Int64? {
    if rest.isEmpty || takeMark("Z", &rest) || takeMark("z", &rest) { return 0 }
    let isWest = rest.first == "-"
    guard takeMark("+", &rest) || takeMark("-", &rest), let hours = take(2, &rest), hours < 24,
      takeMark(":", &rest), let minutes = take(2, &rest), minutes < 60
    else { return nil }
    return (hours * 3_600 + minutes * 60) * (isWest ? -1 : 1)
  }

  /// Days since 1970-01-01 of a date of the Gregorian calendar; nil: the month has no such day.
  private static func day(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64? {
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    let lengths: [Int64] = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    guard (1...lengths[Int(month - 1)]).contains(day) else { return nil }
    // Days from civil (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms"): years begin in March.
    let shifted = month > 2 ? year : year - 1
    let era = shifted / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }
}
