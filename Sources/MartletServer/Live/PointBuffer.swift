// Points of one subscription that wait to be sent.

import MartletModel
import MartletSeries
import OrderedCollections

/// Gathers points by run and key; beyond a bound it keeps only which runs changed.
struct PointBuffer: Sendable {
  /// Points a subscription may have waiting before the client is told to read the series again.
  static let capacity = 20_000

  private let keys: Set<String>?
  private var runNumbers: [PublicID: UInt32] = [:]
  private var keyNumbers: [String: UInt32] = [:]
  /// Numbers that the client was not told yet, in order.
  private var newRuns: [(UInt32, PublicID)] = []
  private var newKeys: [(UInt32, String)] = []
  /// In the order in which their series first came.
  private var blocks: [PointFrame.Block] = []
  /// Where in `blocks` a series is.
  private var slots: [PointFrame.Place: Int] = [:]
  private var count = 0
  /// Runs whose points were left out; while there are any, nothing is gathered of anyone.
  private var leftOut: Set<PublicID> = []
  private var gathered: Set<PublicID> = []

  init(keys: Set<String>?) { self.keys = keys }

  var isEmpty: Bool { count == 0 && leftOut.isEmpty }

  mutating func add(_ batch: RowBatch, of run: PublicID) {
    let wanted = batch.numbers.filter { isWanted($0.name) }
    let points = wanted.reduce(0) { $0 + $1.values.count }
    guard points > 0 else { return }
    // The client reads the series when it is told, so what comes until then comes to it with the others.
    guard leftOut.isEmpty, count + points <= Self.capacity else { return leaveOut(run) }
    let run = (id: run, number: number(of: run))
    for column in wanted {
      let place = PointFrame.Place(run: run.number, key: number(of: column.name))
      let slot = slots[place] ?? blocks.count
      if slot == blocks.count {
        slots[place] = slot
        blocks.append(PointFrame.Block(place: place))
      }
      blocks[slot].steps += column.rows.picked(from: batch.steps)
      blocks[slot].times += column.rows.picked(from: batch.times)
      blocks[slot].values += column.values
    }
    count += points
    gathered.insert(run.id)
  }

  /// The run's series are to be read again: points of it do not come here, or are there no longer.
  mutating func leaveOut(_ run: PublicID) {
    leftOut = leftOut.union(gathered).union([run])
    drop()
  }

  /// Nothing of the run is to be told any more.
  mutating func forget(_ run: PublicID) {
    leftOut.remove(run)
    guard gathered.remove(run) != nil, let number = runNumbers[run] else { return }
    blocks.removeAll { $0.place.run == number }
    slots = Dictionary(uniqueKeysWithValues: blocks.enumerated().map { ($0.element.place, $0.offset) })
    count = blocks.reduce(0) { $0 + $1.steps.count }
  }

  private mutating func drop() { (blocks, slots, count, gathered) = ([], [:], 0, []) }

  private func isWanted(_ key: String) -> Bool { keys?.contains(key) ?? true }

  private mutating func number(of run: PublicID) -> UInt32 {
    if let number = runNumbers[run] { return number }
    let number = UInt32(runNumbers.count)
    runNumbers[run] = number
    newRuns.append((number, run))
    return number
  }

  private mutating func number(of key: String) -> UInt32 {
    if let number = keyNumbers[key] { return number }
    let number = UInt32(keyNumbers.count)
    keyNumbers[key] = number
    newKeys.append((number, key))
    return number
  }

  /// Empties the buffer: first the names of new numbers, then the points, or else the runs to be read again.
  mutating func take(subscription id: UInt32) -> [LiveFrame] {
    var frames: [LiveFrame] = []
    if !leftOut.isEmpty {
      let runs = leftOut.map(\.rawValue).sorted()
      frames.append(.message(["type": "changed", "id": .int(Int64(id)), "runs": JSONValue(runs)]))
      leftOut = []
    }
    if !newRuns.isEmpty || !newKeys.isEmpty {
      let runs = newRuns.map { (String($0.0), JSONValue.string($0.1.rawValue)) }
      let keys = newKeys.map { (String($0.0), JSONValue.string($0.1)) }
      frames.append(
        .message([
          "type": "names", "id": .int(Int64(id)), "runs": .object(JSONObject(uniqueKeysWithValues: runs)),
          "keys": .object(JSONObject(uniqueKeysWithValues: keys)),
        ]))
      (newRuns, newKeys) = ([], [])
    }
    if count > 0 { frames.append(.points(PointFrame(subscription: id, blocks: blocks))) }
    drop()
    return frames
  }
}
