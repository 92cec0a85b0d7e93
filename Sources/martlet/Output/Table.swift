// Rows and columns as text: numbers to the right, never wider than the terminal.

/// One cell; its colour does not count towards its width.
struct Cell: Sendable, Hashable {
  var text: String
  var style: Style?

  init(_ text: String, style: Style? = nil) {
    self.text = Terminal.plain(text)
    self.style = style
  }
}

struct Table: Sendable {
  struct Column: Sendable {
    var title: String
    var isNumber = false
    /// The first to go when the terminal is narrow: higher goes earlier; 0 stays.
    var dispensability = 0
  }

  var columns: [Column]
  var rows: [[Cell]]

  /// The lines to print, a heading first.
  ///
  /// When the table is too wide, dispensable text is cut down to twelve characters, then columns are left out, the
  /// most dispensable first (a last line says how many), and in the end all other text is cut too.
  func lines(width limit: Int?, isColored: Bool) -> [String] {
    var shown = Array(columns.indices)
    var widths = columns.indices.map { index in
      rows.reduce(Self.width(of: columns[index].title)) { max($0, Self.width(of: $1[index].text)) }
    }
    if let limit {
      let texts = columns.indices.filter { !columns[$0].isNumber }
      widths = Self.shrink(widths, flexible: texts.filter { columns[$0].dispensability > 0 }, to: limit)
      while Self.total(shown.map { widths[$0] }) > limit,
        let leaving = shown.filter({ columns[$0].dispensability > 0 })
          .max(by: { (columns[$0].dispensability, $0) < (columns[$1].dispensability, $1) })
      {
        shown.removeAll { $0 == leaving }
      }
      let excess = Self.total(widths) - Self.total(shown.map { widths[$0] })
      widths = Self.shrink(widths, flexible: texts.filter(shown.contains), to: limit + excess)
    }
    var lines = [line(shown.map { (Cell(columns[$0].title, style: .faint), $0) }, widths, isColored)]
    lines += rows.map { row in line(shown.map { (row[$0], $0) }, widths, isColored) }
    let missing = columns.count - shown.count
    if missing > 0 {
      let note = "\(missing) more \(missing == 1 ? "column" : "columns"): --format csv shows all"
      lines.append(Style.faint.paint(note, if: isColored))
    }
    return lines
  }

  private static let gap = 2
  private static let narrowest = 12

  private static func total(_ widths: [Int]) -> Int { widths.reduce(-gap) { $0 + $1 + gap } }

  /// Takes one character after the other from the widest flexible column.
  private static func shrink(_ widths: [Int], flexible: [Int], to limit: Int) -> [Int] {
    var widths = widths
    while total(widths) > limit, let widest = flexible.max(by: { widths[$0] < widths[$1] }),
      widths[widest] > narrowest
    {
      widths[widest] -= 1
    }
    return widths
  }

  private func line(_ cells: [(Cell, Int)], _ widths: [Int], _ isColored: Bool) -> String {
    var line = ""
    for (position, (cell, index)) in cells.enumerated() {
      let text = Self.cut(cell.text, to: widths[index])
      let blank = String(repeating: " ", count: max(0, widths[index] - Self.width(of: text)))
      let painted = cell.style.map { $0.paint(text, if: isColored) } ?? text
      let isLast = position == cells.count - 1
      line += columns[index].isNumber ? blank + painted : painted + (isLast ? "" : blank)
      if !isLast { line += String(repeating: " ", count: Self.gap) }
    }
    // An empty cell at the end leaves the gap before it.
    return String(line.reversed().drop { $0 == " " }.reversed())
  }

  /// `text`, its end replaced by an ellipsis when it takes more than `limit` columns.
  static func cut(_ text: String, to limit: Int, ellipsis: String = "…") -> String {
    guard width(of: text) > limit else { return text }
    let room = limit - ellipsis.count
    var kept = ""
    var used = 0
    for character in text {
      let width = width(of: String(character))
      guard used + width <= room else { break }
      kept.append(character)
      used += width
    }
    return kept + ellipsis
  }

  /// Terminal columns that `text` takes: two for East Asian wide characters and emoji (Unicode TR 11), none for
  /// combining marks.
  static func width(of text: String) -> Int {
    text.reduce(0) { sum, character in
      guard let scalar = character.unicodeScalars.first else { return sum }
      switch scalar.value {
      case 0x20...0x2FF: return sum + 1
      case 0x300...0x36F, 0x200B...0x200F, 0xFE00...0xFE0F: return sum
      case 0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
        0xFF00...0xFF60,
        0xFFE0...0xFFE6, 0x1F300...0x1FAFF, 0x20000...0x3FFFD:
        return sum + 2
      default: return sum + 1
      }
    }
  }
}
