// An array whose copies share what they have in common: for memories that every decision changes a copy of.

/// Elements in pages of equal size. Changing an element of a copy costs a page and the list of pages, not the whole.
package struct Pages<Element> {
  /// All but the last are full, none is empty.
  private var pages: [[Element]] = []
  package private(set) var count = 0

  package init() {}

  package init(_ elements: some Sequence<Element>) {
    for element in elements { append(element) }
  }

  package mutating func append(_ element: Element) {
    if count % pageSize == 0 {
      pages.append([element])
    } else {
      pages[pages.count - 1].append(element)
    }
    count += 1
  }
}

/// Elements of a page, at most: a copy of one costs about as much as a copy of the list of pages where there are 10,000.
let pageSize = 128

extension Pages: Sendable where Element: Sendable {}

extension Pages: RandomAccessCollection, MutableCollection {
  package var startIndex: Int { 0 }
  package var endIndex: Int { count }

  package subscript(position: Int) -> Element {
    get { pages[position / pageSize][position % pageSize] }
    set { pages[position / pageSize][position % pageSize] = newValue }
  }
}

/// Elements in an order that whoever inserts them knows, in pages of which a change costs one and their list.
struct SortedPages<Element> {
  /// Where an element stands, until something is inserted or removed before it.
  struct Place: Hashable {
    fileprivate(set) var page: Int
    fileprivate(set) var offset: Int
  }

  /// None is empty.
  private var pages: [[Element]] = []
  private(set) var count = 0

  var isEmpty: Bool { pages.isEmpty }

  var start: Place { Place(page: 0, offset: 0) }

  /// Nil: past the end.
  func element(at place: Place) -> Element? {
    place.page < pages.count ? pages[place.page][place.offset] : nil
  }

  func place(after place: Place) -> Place {
    place.offset + 1 < pages[place.page].count
      ? Place(page: place.page, offset: place.offset + 1) : Place(page: place.page + 1, offset: 0)
  }

  /// The first place from which on `isAfter` holds; past the end when it never does. It must hold for all after it.
  func place(where isAfter: (Element) -> Bool) -> Place {
    let page = pages.partitioningIndex { isAfter($0[$0.count - 1]) }
    guard page < pages.count else { return Place(page: page, offset: 0) }
    return Place(page: page, offset: pages[page].partitioningIndex(where: isAfter))
  }

  /// Puts an element before the one at `place`, or at the end.
  mutating func insert(_ element: Element, at place: Place) {
    count += 1
    if place.page == pages.count {
      // At the end of the last page as long as it has room: what comes in order fills whole pages.
      if let last = pages.last, last.count < pageSize {
        pages[pages.count - 1].append(element)
      } else {
        pages.append([element])
      }
      return
    }
    pages[place.page].insert(element, at: place.offset)
    guard pages[place.page].count > pageSize else { return }
    let half = Array(pages[place.page][(pageSize / 2)...])
    pages[place.page].removeSubrange((pageSize / 2)...)
    pages.insert(half, at: place.page + 1)
  }

  mutating func append(_ element: Element) { insert(element, at: Place(page: pages.count, offset: 0)) }

  /// Takes an element out; returns the place of the one behind it.
  @discardableResult mutating func remove(at place: Place) -> Place {
    count -= 1
    pages[place.page].remove(at: place.offset)
    if pages[place.page].isEmpty {
      pages.remove(at: place.page)
    } else if place.offset == pages[place.page].count {
      return Place(page: place.page + 1, offset: 0)
    }
    return place
  }

  mutating func update(at place: Place, _ body: (inout Element) -> Void) {
    body(&pages[place.page][place.offset])
  }

  mutating func updateAll(_ body: (inout Element) -> Void) {
    for page in pages.indices {
      for offset in pages[page].indices { body(&pages[page][offset]) }
    }
  }
}

extension SortedPages: Sendable where Element: Sendable {}

extension SortedPages: Sequence {
  func makeIterator() -> FlattenSequence<[[Element]]>.Iterator { pages.joined().makeIterator() }
}

extension RandomAccessCollection where Index == Int {
  /// The first place from which on `isAfter` holds; the end when it never does. It must hold for all places after it.
  func partitioningIndex(where isAfter: (Element) -> Bool) -> Int {
    var (low, high) = (startIndex, endIndex)
    while low < high {
      let middle = low + (high - low) / 2
      if isAfter(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
