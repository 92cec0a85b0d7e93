// Those who wait for something, in the order in which it is their turn.

import HashTreeCollections

/// The line of a pool. Requests that need the same scarce things stand in one row of it: where the first of a row has to
/// wait, a look need not go along the rest of it.
struct WaitingLine: Sendable {
  /// Who is next in each row during a walk along the line.
  struct Walk {
    fileprivate var places: [SortedPages<PoolRequest>.Place]
    fileprivate var isClosed: [Bool]
  }

  /// One of those who wait, as a walk meets them.
  struct Step {
    var request: PoolRequest
    var things: DevicePool.Scarcity
    fileprivate var row: Int
  }

  private struct Standing: Sendable {
    var row: Int
    var request: PoolRequest
  }

  /// What each row needs.
  private var things: [DevicePool.Scarcity] = []
  /// Each in the order of the line.
  private var rows: [SortedPages<PoolRequest>] = []
  private var standings: TreeDictionary<JobID, Standing> = [:]

  var count: Int { standings.count }
  var isEmpty: Bool { standings.isEmpty }

  subscript(job: JobID) -> PoolRequest? { standings[job]?.request }

  mutating func insert(_ request: PoolRequest, needing needed: DevicePool.Scarcity) {
    let row =
      things.firstIndex(of: needed)
      ?? {
        things.append(needed)
        rows.append(SortedPages())
        return rows.count - 1
      }()
    rows[row].insert(request, at: rows[row].place { request.precedes($0) })
    standings[request.job] = Standing(row: row, request: request)
  }

  /// Returns the request that stood there; nil: a stranger's.
  @discardableResult mutating func remove(_ job: JobID) -> PoolRequest? {
    guard let standing = standings.removeValue(forKey: job) else { return nil }
    let request = standing.request
    var place = rows[standing.row].place { !$0.precedes(request) }
    while let other = rows[standing.row].element(at: place), other.job != job {
      place = rows[standing.row].place(after: place)
    }
    rows[standing.row].remove(at: place)
    return request
  }

  /// Puts everybody in the row of what `scarcity` says that he needs.
  mutating func sort(
    by scarcity: (Needs) -> DevicePool.Scarcity, _ change: (inout PoolRequest) -> Void = { _ in }
  ) {
    let all = requests
    self = WaitingLine()
    for var request in all {
      change(&request)
      insert(request, needing: scarcity(request.needs))
    }
  }

  /// Everybody, in order; in time that grows with their number.
  var requests: [PoolRequest] {
    var requests: [PoolRequest] = []
    requests.reserveCapacity(count)
    var walk = self.walk()
    while let step = next(in: walk) {
      requests.append(step.request)
      pass(step, in: &walk)
    }
    return requests
  }

  // MARK: - Walks

  func walk() -> Walk {
    Walk(places: rows.map(\.start), isClosed: rows.map { _ in false })
  }

  /// Who stands next in the line, of those whose rows are not closed.
  func next(in walk: Walk) -> Step? {
    var next: Step?
    for row in rows.indices where !walk.isClosed[row] {
      guard let request = rows[row].element(at: walk.places[row]) else { continue }
      if let next, !request.precedes(next.request) { continue }
      next = Step(request: request, things: things[row], row: row)
    }
    return next
  }

  /// Leaves one behind who goes on waiting.
  func pass(_ step: Step, in walk: inout Walk) {
    walk.places[step.row] = rows[step.row].place(after: walk.places[step.row])
  }

  /// Nobody else of this row can have anything.
  func close(_ step: Step, in walk: inout Walk) { walk.isClosed[step.row] = true }

  /// Takes out of the line who stands next in a walk.
  mutating func take(_ step: Step, in walk: inout Walk) {
    walk.places[step.row] = rows[step.row].remove(at: walk.places[step.row])
    standings[step.request.job] = nil
  }

  /// Those behind one who was taken that have its priority and need the same.
  func equals(of step: Step, in walk: Walk) -> [PoolRequest] {
    var equals: [PoolRequest] = []
    var place = walk.places[step.row]
    while let request = rows[step.row].element(at: place), request.priority == step.request.priority {
      if request.needs == step.request.needs { equals.append(request) }
      place = rows[step.row].place(after: place)
    }
    return equals
  }

  /// Goes on right behind one who was taken, after others of its row were removed.
  func resume(after step: Step, in walk: inout Walk) {
    walk.places[step.row] = rows[step.row].place { !$0.precedes(step.request) }
  }
}
