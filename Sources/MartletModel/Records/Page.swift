// Lists are read in pages.

/// Which part of a list is asked for.
public struct PageRequest: Sendable, Hashable {
  /// 1–1000.
  public var limit: Int
  /// Where the page before ended; opaque to the asker.
  public var cursor: String?

  public init(limit: Int = 100, cursor: String? = nil) {
    self.limit = limit
    self.cursor = cursor
  }
}

/// A part of a list and where the next part begins.
public struct Page<Item: Sendable>: Sendable {
  public var items: [Item]
  /// Nil at the list's end.
  public var next: String?

  public init(items: [Item], next: String? = nil) {
    self.items = items
    self.next = next
  }
}
