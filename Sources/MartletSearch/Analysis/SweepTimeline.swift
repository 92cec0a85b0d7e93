// When trials ran, side by side.

public import MartletModel
import OrderedCollections

/// Trials as bars over time, in as few lanes as they need.
public struct SweepTimeline: Hashable, Sendable {
  public struct Span: Hashable, Sendable {
    public var trial: Int
    /// Seconds, on any clock; the API counts from 1970.
    public var start: Double
    /// Nil: it is running.
    public var end: Double?
    public var state: TrialState

    public init(trial: Int, start: Double, end: Double?, state: TrialState) {
      (self.trial, self.start, self.end, self.state) = (trial, start, end, state)
    }
  }

  /// Ascending by start, then by trial.
  public let spans: [Span]
  /// For each span its lane, from 0.
  public let lanes: [Int]
  public let laneCount: Int
  /// The last end, of those that have none now; nil: nothing has started.
  public let until: Double?
  /// How much of the time between the first start and the last end the lanes were in use, 0 to 1; nil: no time passed.
  public let utilization: Double?

  /// Each span takes the first lane that is free at its start, which needs no more lanes than run at once (interval
  /// partitioning).
  ///
  /// - Parameter now: the end of bars that have none.
  public init(_ spans: [Span], now: Double) {
    self.spans = spans.sorted { ($0.start, $0.trial) < ($1.start, $1.trial) }
    var ends: [Double] = []
    var busy = 0.0
    lanes = self.spans.map { span in
      let end = max(span.end ?? now, span.start)
      busy += end - span.start
      if let free = ends.firstIndex(where: { $0 <= span.start }) {
        ends[free] = end
        return free
      }
      ends.append(end)
      return ends.count - 1
    }
    laneCount = ends.count
    until = ends.max()
    let whole = (ends.max() ?? 0) - (self.spans.first?.start ?? 0)
    utilization = whole > 0 ? busy / (whole * Double(ends.count)) : nil
  }

  public var json: JSONValue {
    [
      "trials": .array(spans.map { .int(Int64($0.trial)) }),
      "start": .array(spans.map { .double($0.start) }), "end": .array(spans.map { JSONValue($0.end) }),
      "states": .array(spans.map { .string($0.state.rawValue) }),
      "lanes": .array(lanes.map { .int(Int64($0)) }), "lane_count": .int(Int64(laneCount)),
      "until": JSONValue(until), "utilization": JSONValue(utilization),
    ]
  }
}
