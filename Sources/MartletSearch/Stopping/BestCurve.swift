// The lowest loss a trial had reported up to each step, in bounded room.

import MartletModel

/// Steps at which a trial became better, with the loss it had then.
///
/// At most `capacity` of them are kept: the one whose loss and duration make the least difference goes first, so that
/// what the curve says is never better than the truth.
struct BestCurve: Hashable, Sendable {
  static let capacity = 48
  /// Ascending by step, the losses descending.
  private var knots: [Knot] = []
  /// The furthest step.
  private(set) var reach: Int64

  private struct Knot: Hashable, Sendable {
    var step: Int64
    var loss: Double
  }

  init(reach: Int64) { self.reach = reach }

  /// The lowest loss of all; infinite: none was a number.
  var best: Double { knots.last?.loss ?? .infinity }

  /// The lowest loss up to and with `step`; infinite: none was a number.
  func best(at step: Int64) -> Double {
    var (low, high) = (0, knots.count)
    while low < high {
      let middle = (low + high) / 2
      if knots[middle].step <= step { low = middle + 1 } else { high = middle }
    }
    return low == 0 ? .infinity : knots[low - 1].loss
  }

  mutating func record(_ loss: Double, at step: Int64) {
    reach = max(reach, step)
    guard loss < best(at: step) else { return }
    let place = knots.firstIndex { $0.step >= step } ?? knots.count
    let end = knots[place...].firstIndex { $0.loss < loss } ?? knots.count
    knots.replaceSubrange(place..<end, with: [Knot(step: step, loss: loss)])
    if knots.count > Self.capacity { thin() }
  }

  private mutating func thin() {
    var cheapest = (index: 1, cost: Double.infinity)
    for index in 1..<knots.count - 1 {
      let cost =
        (knots[index - 1].loss - knots[index].loss) * Double(knots[index + 1].step - knots[index].step)
      if cost < cheapest.cost { cheapest = (index, cost) }
    }
    knots.remove(at: cheapest.index)
  }

  var json: JSONValue {
    [
      "reach": .int(reach),
      "knots": .array(knots.map { .array([.int($0.step), .double($0.loss)]) }),
    ]
  }

  init?(_ json: JSONValue) {
    guard let reach = json["reach"]?.int, let entries = json["knots"]?.array else { return nil }
    self.reach = reach
    for entry in entries {
      guard let items = entry.array, items.count == 2, let step = items[0].int, let loss = items[1].double
      else { return nil }
      knots.append(Knot(step: step, loss: loss))
    }
  }
}
