// Names as they are spelled in a body, and the columns that they stand for.

import MartletModel

/// Finds the columns of names.
///
/// A name mostly follows the one that it followed in the row before, so that it is found by one comparison of bytes. The
/// spellings lie in the body itself, which must outlive this table.
struct SpelledNames {
  struct Name {
    var name: String
    /// The last row that had it.
    var row = -1
    var numberSlot: Int32?
    var textSlot: Int32?
  }

  private struct Spelling {
    /// Between the quotes.
    var text: UnsafeBufferPointer<UInt8>
    var name: Int32
    /// The spellings that followed last, the latest first; -1: none has.
    var next: Int32
    var nextButOne: Int32 = -1
  }

  /// The bytes of a spelling, by value.
  private struct Bytes: Hashable {
    var text: UnsafeBufferPointer<UInt8>

    static func == (a: Bytes, b: Bytes) -> Bool { a.text.elementsEqual(b.text) }
    func hash(into hasher: inout Hasher) { hasher.combine(bytes: UnsafeRawBufferPointer(text)) }
  }

  var names: [Name] = []
  private var spellings: [Spelling] = []
  private var first: Int32 = -1
  private var bySpelling: [Bytes: Int32] = [:]
  private var byName: [String: Int32] = [:]

  /// The spelling that probably follows; -1: there is none.
  ///
  /// - Parameter previous: the spelling before; -1 at the beginning of a row.
  @inline(__always)
  func expected(after previous: Int32) -> Int32 { previous < 0 ? first : spellings[Int(previous)].next }

  @inline(__always)
  func name(of spelling: Int32) -> Int { Int(spellings[Int(spelling)].name) }

  /// Moves `cursor` from behind an opening quote to behind the closing one if what lies between is this spelling.
  @inline(__always)
  func accept(_ spelling: Int32, at cursor: inout JSONCursor) -> Bool {
    let text = spellings[Int(spelling)].text
    let length = text.count
    guard cursor.left > length, cursor.place[length] == UInt8(ascii: "\""), let start = text.baseAddress,
      Self.areEqual(cursor.place, start, length, left: cursor.left)
    else { return false }
    cursor.place += length &+ 1
    return true
  }

  /// - Parameter left: bytes that may be read at `a`. `b` lies before `a` in the same text, so that it has as many.
  @inline(__always)
  private static func areEqual(
    _ a: UnsafePointer<UInt8>, _ b: UnsafePointer<UInt8>, _ length: Int, left: Int
  ) -> Bool {
    var at = 0
    while length &- at >= 8 {
      if word(a + at) != word(b + at) { return false }
      at &+= 8
    }
    if at == length { return true }
    if left &- at >= 8 {
      return (word(a + at) ^ word(b + at)) &<< UInt64(64 &- 8 &* (length &- at)) == 0
    }
    while at < length {
      if a[at] != b[at] { return false }
      at &+= 1
    }
    return true
  }

  @inline(__always)
  private static func word(_ place: UnsafePointer<UInt8>) -> UInt64 {
    UInt64(littleEndian: UnsafeRawPointer(place).loadUnaligned(as: UInt64.self))
  }

  /// The spelling behind an opening quote when it is not the expected one, looked up or made; nil when it is no name that is
  /// allowed.
  mutating func find(at cursor: inout JSONCursor, after previous: Int32) -> Int32? {
    if previous >= 0, case let other = spellings[Int(previous)].nextButOne, other >= 0,
      accept(other, at: &cursor)
    {
      spellings[Int(previous)].nextButOne = spellings[Int(previous)].next
      spellings[Int(previous)].next = other
      return other
    }
    guard let token = cursor.string() else { return nil }
    let spelling: Int32
    if let known = bySpelling[Bytes(text: token.text)] {
      spelling = known
    } else {
      guard let name = JSONCursor.text(of: token)?.inNormalForm, MetricName.fault(of: name) == nil else {
        return nil
      }
      spelling = Int32(spellings.count)
      bySpelling[Bytes(text: token.text)] = spelling
      spellings.append(Spelling(text: token.text, name: number(of: name), next: -1))
    }
    if previous < 0 {
      first = spelling
    } else {
      spellings[Int(previous)].nextButOne = spellings[Int(previous)].next
      spellings[Int(previous)].next = spelling
    }
    return spelling
  }

  private mutating func number(of name: String) -> Int32 {
    if let known = byName[name] { return known }
    let number = Int32(names.count)
    byName[name] = number
    names.append(Name(name: name))
    return number
  }
}
