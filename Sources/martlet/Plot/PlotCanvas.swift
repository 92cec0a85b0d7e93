// Dots in characters: eight to one in braille, or one.

/// What curves are drawn with.
enum PlotInk: Hashable {
  /// Cells of two by four dots (Unicode 2800 to 28FF).
  case braille
  /// One character a curve.
  case marks
}

/// A grid of dots, the first row at the top.
struct PlotCanvas {
  let columns: Int
  let rows: Int
  let ink: PlotInk
  /// By cell: the dots that are set, and the curve that was drawn last.
  private var dots: [UInt8]
  private var curves: [Int?]

  /// Of the curves, in turn.
  static let marks: [Character] = ["*", "+", "o", "x", "#", "@", "%", "&"]

  init(columns: Int, rows: Int, ink: PlotInk) {
    (self.columns, self.rows, self.ink) = (columns, rows, ink)
    dots = Array(repeating: 0, count: columns * rows)
    curves = Array(repeating: nil, count: columns * rows)
  }

  var width: Int { ink == .braille ? 2 * columns : columns }
  var height: Int { ink == .braille ? 4 * rows : rows }

  /// Sets a dot; outside of the grid nothing happens.
  mutating func set(_ x: Int, _ y: Int, curve: Int) {
    guard (0..<width).contains(x), (0..<height).contains(y) else { return }
    let (across, down) = ink == .braille ? (2, 4) : (1, 1)
    let cell = y / down * columns + x / across
    dots[cell] |= ink == .braille ? Self.bits[y % 4][x % 2] : 1
    curves[cell] = curve
  }

  /// Sets the dots between two (Bresenham 1965).
  mutating func line(from a: (x: Int, y: Int), to b: (x: Int, y: Int), curve: Int) {
    let (width, height) = (abs(b.x - a.x), -abs(b.y - a.y))
    let (right, down) = (a.x < b.x ? 1 : -1, a.y < b.y ? 1 : -1)
    var (x, y, error) = (a.x, a.y, width + height)
    while true {
      set(x, y, curve: curve)
      if x == b.x, y == b.y { return }
      let twice = 2 * error
      if twice >= height {
        error += height
        x += right
      }
      if twice <= width {
        error += width
        y += down
      }
    }
  }

  /// The dot of each place in a braille cell.
  private static let bits: [[UInt8]] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]]

  /// A row of characters, without blanks at its end.
  ///
  /// - Parameter paint: gives the text of some cells the colour of a curve.
  func text(row: Int, paint: (String, Int) -> String) -> String {
    let cells = row * columns..<(row + 1) * columns
    guard let last = cells.last(where: { dots[$0] != 0 }) else { return "" }
    var (text, run, runCurve) = ("", "", Int?.none)
    func end() { text += runCurve.map { paint(run, $0) } ?? run }
    for cell in cells.lowerBound...last {
      if curves[cell] != runCurve {
        end()
        (run, runCurve) = ("", curves[cell])
      }
      run.append(character(of: cell))
    }
    end()
    return text
  }

  private func character(of cell: Int) -> Character {
    guard dots[cell] != 0 else { return " " }
    switch ink {
    case .marks: return Self.marks[(curves[cell] ?? 0) % Self.marks.count]
    case .braille: return Character(Unicode.Scalar(0x2800 + UInt32(dots[cell])) ?? " ")
    }
  }
}
