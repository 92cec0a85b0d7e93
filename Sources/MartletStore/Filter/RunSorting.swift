// The order of a list of runs, and where in it a page ended.

import Foundation
import GRDB
import MartletModel

/// What runs are sorted by.
enum RunSorting {
  case created
  case field(FieldSource)
  case attribute(FilterAttribute)
  /// Of a metric that nobody has: all runs lack it.
  case nothing
}

/// Where a page ended, which stays where it is whatever is added or removed meanwhile.
enum RunCursor: Equatable {
  /// In the order of creation.
  case row(Int64)
  /// Among runs that have a value.
  case value(DatabaseValue, Int64)
  /// Among runs that lack one.
  case missing(Int64)

  var text: String {
    switch self {
    case .row(let row): return "r\(row)"
    case .missing(let row): return "n\(row)"
    case .value(let value, let row):
      let words =
        switch value.storage {
        case .null: "z"
        case .int64(let number): "i\(number)"
        case .double(let number): "d\(String(number.bitPattern, radix: 16))"
        case .string(let text): "t\(Self.hex(Array(text.utf8)))"
        case .blob(let data): "b\(Self.hex(Array(data)))"
        }
      return "v\(row).\(words)"
    }
  }

  private static func hex(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  private static func bytes(_ text: Substring) -> [UInt8]? {
    let digits = Array(text.utf8)
    guard digits.count % 2 == 0 else { return nil }
    return try? stride(from: 0, to: digits.count, by: 2).map { place in
      guard let byte = UInt8(String(decoding: digits[place..<place + 2], as: UTF8.self), radix: 16) else {
        throw Cursor.wrong("")
      }
      return byte
    }
  }

  /// - Throws: `Problem.badRequest` for what is no cursor.
  init(_ text: Substring) throws {
    let wrong = Cursor.wrong(String(text))
    let rest = text.dropFirst()
    switch text.first {
    case "r":
      guard let row = Int64(rest), row >= 0 else { throw wrong }
      self = .row(row)
    case "n":
      guard let row = Int64(rest), row >= 0 else { throw wrong }
      self = .missing(row)
    case "v":
      let parts = rest.split(separator: ".", maxSplits: 1)
      guard parts.count == 2, let row = Int64(parts[0]), row >= 0, let value = Self.value(parts[1]) else {
        throw wrong
      }
      self = .value(value, row)
    default: throw wrong
    }
  }

  private static func value(_ text: Substring) -> DatabaseValue? {
    let rest = text.dropFirst()
    switch text.first {
    case "i": return Int64(rest)?.databaseValue
    case "d": return UInt64(rest, radix: 16).map { Double(bitPattern: $0).databaseValue }
    case "t": return bytes(rest).flatMap { String(validating: $0, as: UTF8.self) }?.databaseValue
    case "b": return bytes(rest).map { Data($0).databaseValue }
    default: return nil
    }
  }
}

/// What a client holds of a page's end: the next page goes on from there, at the same time.
///
/// What is running grows older between two pages, and so does `-1h`: by the time of each page some runs would come twice
/// and some not at all.
struct RunMark {
  var cursor: RunCursor
  /// What the pages' times count from; nil: they have none.
  var now: Timestamp?

  init(cursor: RunCursor, now: Timestamp?) { (self.cursor, self.now) = (cursor, now) }

  /// - Throws: `Problem.badRequest` for what is no cursor.
  init?(_ text: String?) throws {
    guard let text else { return nil }
    let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
    do {
      cursor = try RunCursor(parts[0])
      guard parts.count == 2 else { return }
      // A time that calculations have room for, whoever wrote it.
      guard let time = Int64(parts[1]), (0...1 << 53).contains(time) else { throw Cursor.wrong(text) }
      now = Timestamp(microseconds: time)
    } catch is Problem {
      throw Cursor.wrong(text)
    }
  }

  var text: String { now.map { "\(cursor.text)@\($0.microseconds)" } ?? cursor.text }
}
