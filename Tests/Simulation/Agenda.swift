// What is going to happen, in the order of time.

/// A heap of things by time; those of one time come in the order in which they were put.
struct Agenda<Thing> {
  private var heap: [(at: Double, order: Int, thing: Thing)] = []
  private var count = 0

  var isEmpty: Bool { heap.isEmpty }

  mutating func put(_ thing: Thing, at time: Double) {
    count += 1
    heap.append((time, count, thing))
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard precedes(child, parent) else { break }
      heap.swapAt(child, parent)
      child = parent
    }
  }

  mutating func next() -> (at: Double, thing: Thing)? {
    guard let first = heap.first else { return nil }
    let last = heap.removeLast()
    if !heap.isEmpty {
      heap[0] = last
      var parent = 0
      while true {
        var least = parent
        for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && precedes(child, least) {
          least = child
        }
        if least == parent { break }
        heap.swapAt(parent, least)
        parent = least
      }
    }
    return (first.at, first.thing)
  }

  private func precedes(_ a: Int, _ b: Int) -> Bool {
    heap[a].at != heap[b].at ? heap[a].at < heap[b].at : heap[a].order < heap[b].order
  }
}
