// Points of one subscription that wait to be sent.

import MartletModel
import MartletStore
import MartletTracking
import OrderedCollections

/// Gathers points by run and key; beyond a bound it keeps only which runs changed.
struct PointBuffer: Sendable {
  /// Points a subscription may have waiting before the client is told to read the series again.
  static let capacity = 20_000

  private typealias Place = PointFrame.Place
  private typealias Block = PointFrame.Block

  private let keys: Set<String>?
  private var runNumbers: [PublicID: UInt32] = [:]
  private var keyNumbers: [String: UInt32] = [:]
  /// Numbers that the client was not told yet, in order.
  private var newRuns: [(UInt32, PublicID)] = []
  private var newKeys: [(UInt32, String)] = []
  private var blocks: [Place: Block] = [:]
  private var order: [Place] = []
  private var count = 0
  /// Runs whose points were left out; while there are any, nothing is gathered of anyone.
  private var leftOut: Set<PublicID> = []
  private var gathered: Set<PublicID> = []

  init(keys: Set<String>?) { self.keys = keys }

  var isEmpty: Bool { count == 0 && leftOut.isEmpty }

  mutating func add(_ rows: [FeedRow], of run: PublicID) {
    if !leftOut.isEmpty {
      // The client reads the series when it is told, so these points come to it with the others.
      if rows.contains(where: { row in row.numbers.contains { isWanted($0.name) } }) { leftOut.insert(run) }
      return
    }
    var blocks = self.blocks
    self.blocks = [:]
    defer { self.blocks = blocks }
    for row in rows {
      for (name, value) in row.numbers where isWanted(name) {
        guard count < Self.capacity else {
          leftOut = gathered.union([run])
          (blocks, order, count, gathered) = ([:], [], 0, [])
          return
        }
        let place = Place(run: number(of: run), key: number(of: name))
        if blocks[place] == nil { order.append(place) }
        blocks[place, default: Block()].steps.append(row.step)
        blocks[place]?.times.append(row.time.microseconds)
        blocks[place]?.values.append(value)
        count += 1
        gathered.insert(run)
      }
    }
  }

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
    if count > 0 { frames.append(.points(PointFrame(subscription: id, order: order, blocks: blocks))) }
    (blocks, order, count, gathered) = ([:], [], 0, [])
    return frames
  }
}
