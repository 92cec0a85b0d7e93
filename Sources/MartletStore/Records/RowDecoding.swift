// Columns to values of the model.

import Foundation
import GRDB
import MartletModel

extension NamedColumns {
  func time(_ column: String) -> Timestamp? {
    (self[column] as Int64?).map(Timestamp.init(microseconds:))
  }

  /// JSON that this store wrote itself; null where the column is NULL.
  func json(_ column: String) throws -> JSONValue {
    guard let text = self[column] as String? else { return .null }
    do {
      return try JSONValue.parse(text)
    } catch {
      throw Problem(
        .internal, "A stored value of '\(column)' is no JSON: \(error).", hint: "Run 'martlet doctor'.")
    }
  }

  func strings(_ column: String) throws -> [String]? {
    try json(column).array?.compactMap(\.string)
  }

  func exitRecord() -> ExitRecord? {
    guard let reason = self["exit_reason"] as String? else { return nil }
    return ExitRecord(code: self["exit_code"], signal: self["exit_signal"], reason: reason)
  }

  func devices() throws -> [Int] { try json("devices").array?.compactMap { $0.int.map(Int.init) } ?? [] }
}
