// Where a page of a list ended.

import MartletModel

/// Cursors: in the order of creation the last item before, whose place never changes; in other orders, which may change
/// under the reader anyhow, the number of items before.
enum Cursor {
  static func offset(_ cursor: String?) throws -> Int {
    guard let cursor else { return 0 }
    guard cursor.hasPrefix("o"), let offset = Int(cursor.dropFirst()), offset >= 0 else {
      throw wrong(cursor)
    }
    return offset
  }

  /// The row of the last item before, which may be gone by now.
  static func last(_ cursor: String?) throws -> Int64? {
    guard let cursor else { return nil }
    guard cursor.hasPrefix("r"), let row = Int64(cursor.dropFirst()), row >= 0 else { throw wrong(cursor) }
    return row
  }

  static func wrong(_ cursor: String) -> Problem {
    Problem(
      .badRequest, "'\(cursor)' is no cursor of this list.",
      hint: "Use the 'next' of the page before, in the same order.")
  }

  /// As `page` with an offset, in the order of creation.
  static func page<Item>(
    _ items: [Item], _ request: PageRequest, row: (Item) throws -> Int64
  ) rethrows -> Page<Item> {
    let kept = Array(items.prefix(request.limit))
    guard items.count > request.limit, let last = kept.last else { return Page(items: items) }
    return Page(items: kept, next: "r\(try row(last))")
  }

  /// `items` may hold one more than asked for, which says that there is a next page.
  static func page<Item>(_ items: [Item], _ request: PageRequest, offset: Int) -> Page<Item> {
    guard items.count > request.limit else { return Page(items: items) }
    return Page(items: Array(items.prefix(request.limit)), next: "o\(offset + request.limit)")
  }
}
