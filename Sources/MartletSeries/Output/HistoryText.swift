// Histories as text: JSON lines and CSV.

import MartletModel

/// One row of a run's history.
public struct HistoryRow: Sendable {
  /// Counts the run's rows from 0 in the order of their arrival.
  public var row: Int64
  public var step: Int64
  /// Microseconds since 1970.
  public var time: Int64
  public var numbers: [(name: String, value: Double)]
  /// Compact JSON.
  public var texts: [(name: String, value: [UInt8])]

  public init(
    row: Int64, step: Int64, time: Int64, numbers: [(name: String, value: Double)] = [],
    texts: [(name: String, value: [UInt8])] = []
  ) {
    (self.row, self.step, self.time, self.numbers, self.texts) = (row, step, time, numbers, texts)
  }
}

public enum HistoryText {
  /// Appends `{"row": …, "step": …, "time": …, "values": {…}}` and a line feed.
  ///
  /// Numbers that JSON lacks are the bare words that `POST /runs/:run/log` takes: `NaN`, `Infinity`, `-Infinity`.
  public static func writeJSONLine(_ row: HistoryRow, to out: inout [UInt8]) {
    out += "{\"row\":\(row.row),\"step\":\(row.step),\"time\":\(row.time),\"values\":{".utf8
    var isFirst = true
    func name(_ name: String) {
      if !isFirst { out.append(UInt8(ascii: ",")) }
      isFirst = false
      JSONValue.write(name, to: &out)
      out.append(UInt8(ascii: ":"))
    }
    for (key, value) in row.numbers {
      name(key)
      write(value, to: &out)
    }
    for (key, value) in row.texts {
      name(key)
      out += value
    }
    out += "}}\n".utf8
  }

  /// Appends the line of column names: `row,step,time` and the names.
  public static func writeCSVHeader(names: [String], to out: inout [UInt8]) {
    out += "row,step,time".utf8
    for name in names {
      out.append(UInt8(ascii: ","))
      writeField(Array(name.utf8), to: &out)
    }
    out += "\r\n".utf8
  }

  /// Appends one line (RFC 4180); what the row does not have is an empty field.
  ///
  /// Numbers stand bare, everything else in quotes: a string as it is, so that an empty one is no absent one, and
  /// lists, objects and the like as JSON.
  public static func writeCSVLine(_ row: HistoryRow, names: [String], to out: inout [UInt8]) {
    let numbers = Dictionary(row.numbers.map { ($0.name, $0.value) }) { $1 }
    let texts = Dictionary(row.texts.map { ($0.name, $0.value) }) { $1 }
    out += "\(row.row),\(row.step),\(row.time)".utf8
    for name in names {
      out.append(UInt8(ascii: ","))
      if let value = numbers[name] {
        write(value, to: &out)
      } else if let text = texts[name] {
        writeField(text.first == 0x22 ? plain(text) : text, to: &out, isQuoted: true)
      }
    }
    out += "\r\n".utf8
  }

  private static func write(_ value: Double, to out: inout [UInt8]) {
    if value.isFinite {
      JSONValue.write(value, to: &out)
    } else {
      out += (value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity").utf8
    }
  }

  /// The string that JSON spells.
  private static func plain(_ json: [UInt8]) -> [UInt8] {
    (try? JSONValue.parse(json))?.string.map { Array($0.utf8) } ?? json
  }

  private static func writeField(_ text: [UInt8], to out: inout [UInt8], isQuoted: Bool = false) {
    guard isQuoted || text.contains(where: { $0 == 0x22 || $0 == 0x2C || $0 == 0x0A || $0 == 0x0D }) else {
      out += text
      return
    }
    out.append(0x22)
    for byte in text {
      if byte == 0x22 { out.append(0x22) }
      out.append(byte)
    }
    out.append(0x22)
  }
}
