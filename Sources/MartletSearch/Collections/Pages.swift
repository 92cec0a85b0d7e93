// An array whose copies share what they have in common: for memories that every decision changes a copy of.

/// Elements in pages of equal size. Changing an element of a copy, or adding one near the end, costs a page and the list
/// of pages, not the whole.
public struct Pages<Element> {
  /// All but the last are full, none is empty.
  @usableFromInline var pages: [[Element]] = []
  @usableFromInline var length = 0
  /// Elements of a page, at most: a copy of one costs about as much as a copy of the list of pages where there are 10,000.
  @inlinable static var size: Int { 128 }

  @inlinable public init() {}

  @inlinable public init(_ elements: some Sequence<Element>) {
    for element in elements { append(element) }
  }

  @inlinable public mutating func append(_ element: Element) {
    if length % Self.size == 0 {
      pages.append([element])
    } else {
      pages[pages.count - 1].append(element)
    }
    length += 1
  }

  /// Puts an element before the one at `place`, or at the end. Takes time that grows with how far that is from the end.
  @inlinable public mutating func insert(_ element: Element, at place: Int) {
    precondition(place >= 0 && place <= length, "There is no place \(place) among \(length) elements.")
    guard place < length else { return append(element) }
    var (page, offset) = (place / Self.size, place % Self.size)
    var carried = element
    // What a full page has no room for any more is the first of the next.
    while page < pages.count, pages[page].count == Self.size {
      let last = pages[page].removeLast()
      pages[page].insert(carried, at: offset)
      carried = last
      (page, offset) = (page + 1, 0)
    }
    if page < pages.count { pages[page].insert(carried, at: offset) } else { pages.append([carried]) }
    length += 1
  }
}

extension Pages: Sendable where Element: Sendable {}

extension Pages: RandomAccessCollection, MutableCollection {
  @inlinable public var startIndex: Int { 0 }
  @inlinable public var endIndex: Int { length }

  @inlinable public subscript(position: Int) -> Element {
    get { pages[position / Self.size][position % Self.size] }
    set { pages[position / Self.size][position % Self.size] = newValue }
  }
}

extension Pages: Equatable where Element: Equatable {
  @inlinable public static func == (one: Self, other: Self) -> Bool { one.elementsEqual(other) }
}
