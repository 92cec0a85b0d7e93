// What could stand at a place in a filter that is being written.

/// What a filter wants at a place: which word is being written there, and of what kind.
public enum FilterContext: Sendable, Hashable {
  /// A field's name, or `not` or a bracket.
  case field(prefix: String, FilterRange)
  /// An operator, `in` or `exists` behind this field.
  case comparison(FilterField, prefix: String, FilterRange)
  /// A value of this field, which is a text in quotes where `isQuoted`.
  case value(FilterField, prefix: String, FilterRange, isQuoted: Bool)
  /// Text that stands for itself.
  case none

  /// - Parameter offset: in UTF-16 code units; beyond the end it is the end.
  public init(of text: String, at offset: Int) {
    var scan = FilterScan(text, at: offset)
    self = scan.context()
  }
}

/// One thing that could stand somewhere.
public struct FilterSuggestion: Sendable, Hashable {
  public enum Kind: String, Sendable, CaseIterable { case field, value, `operator`, word }

  /// What to put in the place of what is written there.
  public var text: String
  public var kind: Kind
  /// A few words on it.
  public var detail: String

  public init(_ text: String, _ kind: Kind, _ detail: String) {
    (self.text, self.kind, self.detail) = (text, kind, detail)
  }

  public var json: JSONValue {
    ["text": .string(text), "kind": .string(kind.rawValue), "detail": .string(detail)]
  }
}

/// Reads what stands before a place, forgiving whatever is wrong in it.
private struct FilterScan {
  private var cursor: FilterCursor
  private let offset: Int

  init(_ text: String, at offset: Int) {
    cursor = FilterCursor(text)
    self.offset = min(max(0, offset), cursor.units.count)
  }

  mutating func context() -> FilterContext {
    while true {
      cursor.skipSpaces()
      guard cursor.at < offset else { return .field(prefix: "", FilterRange(offset, offset)) }
      if cursor.isNext("\"") {
        guard takeQuoted("\"") else { return FilterContext.none }
        continue
      }
      if cursor.isNext("(") || cursor.isNext(")") || cursor.isNext("!") || cursor.isNext(",") {
        cursor.at += 1
        continue
      }
      let start = cursor.at
      let field = takeField()
      if cursor.at == start {
        // An operator without a field: nobody knows what belongs behind it.
        cursor.at += 1
        continue
      }
      if cursor.at >= offset {
        return .field(prefix: cursor.text(start, offset), FilterRange(start, cursor.at))
      }
      if field.pieces.count == 1, !field.pieces[0].isQuoted, let keyword = FilterKeyword(field.name),
        [.and, .or, .not].contains(keyword)
      {
        continue
      }
      if let context = behind(field) { return context }
    }
  }

  /// What stands behind a field; nil: another condition begins.
  private mutating func behind(_ field: FilterField) -> FilterContext? {
    cursor.skipSpaces()
    let start = cursor.at
    guard start < offset else { return .comparison(field, prefix: "", FilterRange(offset, offset)) }
    if let unit = cursor.unit(), FilterCursor.beginsLikeAnOperator(unit) {
      _ = cursor.take(while: FilterCursor.beginsLikeAnOperator)
      // `<` may yet become `<=`, but a value is what is missed more.
      return value(of: field)
    }
    let word = cursor.take(while: FilterCursor.isFieldPart)
    if cursor.at >= offset {
      return .comparison(field, prefix: cursor.text(start, offset), FilterRange(start, cursor.at))
    }
    guard FilterKeyword(word) == .isIn else { return nil }
    cursor.skipSpaces()
    guard cursor.isNext("("), cursor.at < offset else { return FilterContext.none }
    cursor.at += 1
    while true {
      if let context = value(of: field) { return context }
      cursor.skipSpaces()
      guard cursor.isNext(","), cursor.at < offset else { return nil }
      cursor.at += 1
    }
  }

  /// Nil: a whole value stands there.
  private mutating func value(of field: FilterField) -> FilterContext? {
    cursor.skipSpaces()
    let start = cursor.at
    guard start < offset else {
      return .value(field, prefix: "", FilterRange(offset, offset), isQuoted: false)
    }
    if cursor.isNext("\"") {
      let isClosed = takeQuoted("\"")
      guard cursor.at >= offset, !(isClosed && cursor.at == offset) else { return nil }
      return .value(
        field, prefix: cursor.text(start + 1, offset), FilterRange(start, cursor.at), isQuoted: true)
    }
    _ = cursor.take(while: FilterCursor.isValuePart)
    guard cursor.at >= offset else { return nil }
    return .value(field, prefix: cursor.text(start, offset), FilterRange(start, cursor.at), isQuoted: false)
  }

  private mutating func takeField() -> FilterField {
    var pieces: [FilterField.Piece] = []
    while let unit = cursor.unit() {
      if cursor.isNext("`") {
        let start = cursor.at + 1
        let isClosed = takeQuoted("`")
        let inside = cursor.text(min(start, cursor.at), cursor.at - (isClosed ? 1 : 0))
        pieces.append(FilterField.Piece(inside.replacing("``", with: "`"), isQuoted: true))
      } else if FilterCursor.isFieldPart(unit) {
        pieces.append(FilterField.Piece(cursor.take(while: FilterCursor.isFieldPart), isQuoted: false))
      } else {
        break
      }
    }
    return FilterField(pieces)
  }

  /// False: it is never closed, and the end is reached.
  private mutating func takeQuoted(_ mark: Character) -> Bool {
    cursor.at += 1
    while !cursor.isAtEnd {
      // A backslash and what it stands before; in names two marks for one.
      let next = cursor.unit(1)
      if mark == "\"", cursor.isNext("\\"), next == 0x22 || next == 0x5C {
        cursor.at += 2
        continue
      }
      if mark == "`", cursor.isNext("`"), next == 0x60 {
        cursor.at += 2
        continue
      }
      let isEnd = cursor.isNext(mark)
      cursor.at += 1
      if isEnd { return true }
    }
    return false
  }
}
