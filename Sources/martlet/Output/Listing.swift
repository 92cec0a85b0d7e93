// One list of API objects in three forms: a table for people, JSON and CSV for programs.

import ArgumentParser
import Foundation
import MartletModel
import OrderedCollections

enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
  case table, json, csv
}

/// `--format`, wherever something is listed or shown.
struct FormatOption: ParsableArguments {
  @Option(name: .long, help: "table, json (the API's own objects) or csv.")
  var format = OutputFormat.table
}

/// One column of a listing.
struct Field: Sendable {
  enum Kind: Sendable {
    case text, number, state
    /// Microseconds since 1970: "3 min ago" in tables, ISO 8601 in CSV.
    case time
    /// Likewise, of what is to come: "in 3 min".
    case ahead
    /// Seconds.
    case duration
    case bytes
  }

  /// The heading in CSV.
  var key: String
  /// The heading in tables; nil: only in CSV.
  var title: String?
  var kind: Kind
  /// See `Table.Column.dispensability`.
  var dispensability: Int
  var read: @Sendable (JSONValue) -> JSONValue?

  init(
    _ key: String, _ title: String?, _ kind: Kind = .text, dispensability: Int = 0,
    read: (@Sendable (JSONValue) -> JSONValue?)? = nil
  ) {
    self.key = key
    self.title = title
    self.kind = kind
    self.dispensability = dispensability
    self.read = read ?? { $0[key] }
  }

  func cell(_ item: JSONValue) -> Cell {
    guard let value = read(item), !value.isNull else { return Cell("") }
    switch kind {
    case .text: return Cell(Words.value(value))
    case .state: return Cell(Words.value(value), style: value.string.flatMap(Style.init(state:)))
    case .number: return Cell(value.double.map(Words.number) ?? Words.value(value))
    case .time: return Cell(value.int.map { Words.ago($0) } ?? "")
    case .ahead: return Cell(value.int.map { Words.ahead($0) } ?? "")
    case .duration: return Cell(value.double.map(Words.duration) ?? "")
    case .bytes: return Cell(value.int.map(Words.bytes) ?? "")
    }
  }

  /// The value in full.
  func exact(_ item: JSONValue) -> String {
    guard let value = read(item), !value.isNull else { return "" }
    if kind == .time || kind == .ahead, let time = value.int { return Words.iso(time) }
    return value.string ?? value.text
  }

  var isNumber: Bool {
    switch kind {
    case .number, .duration, .bytes: true
    case .text, .state, .time, .ahead: false
    }
  }
}

/// Items of one kind with the columns that show them.
struct Listing {
  var items: [JSONValue]
  var fields: [Field]
  /// What a table says when there are no items.
  var whenEmpty: String

  func print(_ format: OutputFormat) throws(OutputClosed) {
    switch format {
    case .json:
      try Terminal.say(String(decoding: JSONValue.array(items).bytes(indented: true), as: UTF8.self))
    case .csv: try Terminal.write(csv, to: STDOUT_FILENO)
    case .table where items.isEmpty: Terminal.complain(whenEmpty)
    case .table:
      let lines = table.lines(width: Terminal.outputWidth, isColored: Terminal.usesColor)
      try Terminal.say(lines.joined(separator: "\n"))
    }
  }

  var table: Table {
    let shown = fields.filter { $0.title != nil }
    return Table(
      columns: shown.map {
        Table.Column(title: $0.title ?? $0.key, isNumber: $0.isNumber, dispensability: $0.dispensability)
      },
      rows: items.map { item in shown.map { $0.cell(item) } })
  }

  /// RFC 4180, with line feeds.
  var csv: String {
    let lines = [fields.map(\.key)] + items.map { item in fields.map { $0.exact(item) } }
    return lines.map { $0.map(Self.quoted).joined(separator: ",") + "\n" }.joined()
  }

  static func quoted(_ text: String) -> String {
    guard text.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) else { return text }
    return "\"" + text.replacing("\"", with: "\"\"") + "\""
  }
}

/// One object with its members under each other.
struct Card {
  var item: JSONValue
  var fields: [Field]

  func print(_ format: OutputFormat) throws(OutputClosed) {
    switch format {
    case .json: try Terminal.say(String(decoding: item.bytes(indented: true), as: UTF8.self))
    case .csv: try Listing(items: [item], fields: fields, whenEmpty: "").print(.csv)
    case .table:
      let shown = fields.compactMap { field in
        field.title.map { (title: $0, cell: field.cell(item)) }
      }.filter { !$0.cell.text.isEmpty }
      let width = shown.map { Table.width(of: $0.title) }.max() ?? 0
      for (title, cell) in shown {
        let blank = String(repeating: " ", count: width - Table.width(of: title) + 2)
        let text = cell.style.map { $0.paint(cell.text, if: Terminal.usesColor) } ?? cell.text
        try Terminal.say(Style.faint.paint(title, if: Terminal.usesColor) + blank + text)
      }
    }
  }
}
