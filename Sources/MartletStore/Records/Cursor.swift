// Where a page of a list ended.

import MartletModel

/// Cursors of lists whose order may change under the reader: the number of items before.
enum Cursor {
  static func offset(_ cursor: String?) throws -> Int {
    guard let cursor else { return 0 }
    guard cursor.hasPrefix("o"), let offset = Int(cursor.dropFirst()), offset >= 0 else {
      throw Problem(
        .badRequest, "'\(cursor)' is no cursor of this list.",
        hint: "Use the 'next' of the page before, unchanged.")
    }
    return offset
  }

  /// `items` may hold one more than asked for, which says that there is a next page.
  static func page<Item>(_ items: [Item], _ request: PageRequest, offset: Int) -> Page<Item> {
    guard items.count > request.limit else { return Page(items: items) }
    return Page(items: Array(items.prefix(request.limit)), next: "o\(offset + request.limit)")
  }
}
