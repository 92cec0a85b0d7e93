// A dictionary that keeps the order in which its keys came, and whose copies share what they have in common.

import HashTreeCollections

/// As an ordered dictionary, for memories that every decision changes a copy of: looking up, adding, changing and removing
/// cost about the same however many there are, also where a copy is held by somebody else.
package struct Roster<Key: Hashable, Value> {
  fileprivate struct Row {
    var number: Int
    var key: Key
    var value: Value
  }

  /// The numbers of keys: higher ones came later.
  private var numbers: TreeDictionary<Key, Int> = [:]
  /// By number.
  private var rows = SortedPages<Row>()
  private var next = 0

  package init() {}

  package init(_ elements: some Sequence<(key: Key, value: Value)>) {
    for (key, value) in elements { self[key] = value }
  }

  package var count: Int { rows.count }
  package var isEmpty: Bool { rows.isEmpty }

  /// A key that comes anew is the last; one that is there keeps its place.
  package subscript(key: Key) -> Value? {
    get { numbers[key].flatMap { rows.element(at: place(of: $0))?.value } }
    set {
      switch (numbers[key], newValue) {
      case (let number?, let value?): rows.update(at: place(of: number)) { $0.value = value }
      case (let number?, nil):
        rows.remove(at: place(of: number))
        numbers[key] = nil
      case (nil, let value?):
        rows.append(Row(number: next, key: key, value: value))
        numbers[key] = next
        next += 1
      case (nil, nil): break
      }
    }
  }

  /// Returns what it had, nil when there is no such key.
  @discardableResult package mutating func removeValue(forKey key: Key) -> Value? {
    let value = self[key]
    self[key] = nil
    return value
  }

  /// Changes every value in its place.
  package mutating func updateValues(_ body: (Key, inout Value) -> Void) {
    rows.updateAll { body($0.key, &$0.value) }
  }

  private func place(of number: Int) -> SortedPages<Row>.Place { rows.place { $0.number >= number } }

  /// In time that grows with their number, as `values`.
  package var keys: [Key] { rows.map(\.key) }
  package var values: [Value] { rows.map(\.value) }
}

extension Roster.Row: Sendable where Key: Sendable, Value: Sendable {}
extension Roster: Sendable where Key: Sendable, Value: Sendable {}

extension Roster: Sequence {
  package func makeIterator() -> AnyIterator<(key: Key, value: Value)> {
    var rows = rows.makeIterator()
    return AnyIterator { rows.next().map { ($0.key, $0.value) } }
  }
}
