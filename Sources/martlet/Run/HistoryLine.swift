// One line of a history, taken apart where its values begin and end: nothing of them is read, so nothing changes.

import MartletModel

/// `{"row": 0, "step": 0, "time": 0, "values": {…}}` as places in the bytes it came in.
struct HistoryLine {
  struct Value {
    /// The name as JSON has it, without its quotes.
    var name: Range<Int>
    var text: Range<Int>
    /// A number or one of the words that stand for the numbers JSON lacks.
    var isNumber: Bool
  }

  /// The texts of row, step and time.
  private(set) var fixed: [Range<Int>] = []
  private(set) var values: [Value] = []

  private static let heads = HistoryPages.fixed.map { "\"\($0)\":" }

  /// Takes the line apart that begins at `start`; nil when it is none. `end` is behind its line feed.
  init?(_ bytes: [UInt8], from start: Int, end: inout Int) {
    var cursor = Cursor(bytes: bytes, at: start)
    guard cursor.take("{") else { return nil }
    for head in Self.heads {
      guard cursor.take(head), let text = cursor.value() else { return nil }
      fixed.append(text)
      guard cursor.take(",") else { return nil }
    }
    guard cursor.take("\"values\":"), cursor.take("{") else { return nil }
    while !cursor.take("}") {
      if !values.isEmpty, !cursor.take(",") { return nil }
      guard let name = cursor.value(), bytes[name.lowerBound] == UInt8(ascii: "\""), cursor.take(":"),
        let text = cursor.value()
      else { return nil }
      values.append(
        Value(
          name: (name.lowerBound + 1)..<(name.upperBound - 1), text: text,
          isNumber: Self.beginsNumber(bytes[text.lowerBound])))
    }
    guard cursor.take("}"), cursor.take("\n") else { return nil }
    end = cursor.at
  }

  private static func beginsNumber(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "N"), UInt8(ascii: "I"): true
    default: false
    }
  }

  /// A place in JSON that a server wrote: whole, without blanks between its parts.
  private struct Cursor {
    let bytes: [UInt8]
    var at: Int

    mutating func take(_ text: String) -> Bool {
      var next = at
      for byte in text.utf8 {
        guard next < bytes.count, bytes[next] == byte else { return false }
        next += 1
      }
      at = next
      return true
    }

    /// Passes over one value.
    mutating func value() -> Range<Int>? {
      let start = at
      var depth = 0
      while at < bytes.count {
        switch bytes[at] {
        case UInt8(ascii: "\""):
          guard string() else { return nil }
          if depth == 0, bytes[start] == UInt8(ascii: "\"") { return start..<at }
          continue
        case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
          if depth == 0 { return at > start ? start..<at : nil }
          depth -= 1
          if depth == 0 {
            at += 1
            return start..<at
          }
        case UInt8(ascii: ","):
          if depth == 0 { return at > start ? start..<at : nil }
        case UInt8(ascii: "\n"): return nil
        default: break
        }
        at += 1
      }
      return nil
    }

    private mutating func string() -> Bool {
      at += 1
      while at < bytes.count {
        switch bytes[at] {
        case UInt8(ascii: "\\"): at += 2
        case UInt8(ascii: "\""):
          at += 1
          return true
        default: at += 1
        }
      }
      return false
    }
  }
}

/// Turns JSON lines into the records of a CSV with these names as columns.
struct HistoryTable {
  let names: [String]
  private let columns: [String: Int]
  /// Columns by the names' JSON, which most lines repeat.
  private var known: [ArraySlice<UInt8>: Int] = [:]

  init(names: [String]) {
    self.names = names
    columns = Dictionary(names.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// Appends a record for each line.
  ///
  /// - Parameters:
  ///   - lead: the texts of fields before the line's own, as they stand in a CSV.
  ///   - skipsUnknown: values of names that are no columns are left out, instead of ending the table.
  /// - Returns: nil, or how many records were appended before the first line that holds a name that is no column.
  /// - Throws: `Failure` when the lines are no history.
  mutating func append(
    _ lines: [UInt8], lead: String = "", skipsUnknown: Bool = false, to out: inout [UInt8]
  ) throws -> Int? {
    var at = 0
    var count = 0
    var cells = [(text: Range<Int>, isNumber: Bool)?](repeating: nil, count: names.count)
    while at < lines.count {
      guard let line = HistoryLine(lines, from: at, end: &at) else {
        throw Failure(.internalError, "The server sent a history that cannot be read.")
      }
      for index in cells.indices { cells[index] = nil }
      for value in line.values {
        guard let column = column(lines[value.name]) else {
          if skipsUnknown { continue }
          return count
        }
        cells[column] = (value.text, value.isNumber)
      }
      out += lead.utf8
      for (index, text) in line.fixed.enumerated() {
        if index > 0 { out.append(UInt8(ascii: ",")) }
        out += lines[text]
      }
      for cell in cells {
        out.append(UInt8(ascii: ","))
        guard let cell else { continue }
        if cell.isNumber {
          out += lines[cell.text]
        } else if lines[cell.text.lowerBound] == UInt8(ascii: "\""),
          let text = try? JSONValue.parse(lines[cell.text]).string
        {
          // A string is itself in a table; lists, objects and the like are JSON.
          CSV.quote(text.utf8, to: &out)
        } else {
          CSV.quote(lines[cell.text], to: &out)
        }
      }
      out += CSV.lineEnd.utf8
      count += 1
    }
    return nil
  }

  private mutating func column(_ name: ArraySlice<UInt8>) -> Int? {
    if let column = known[name] { return column }
    guard let text = try? JSONValue.parse([0x22] + name + [0x22]).string, let column = columns[text] else {
      return nil
    }
    known[ArraySlice(Array(name))] = column
    return column
  }
}
