// Points on the way in, and series on the way out.

/// One `log()` call: what a client sent as one row.
public struct LogRow: Sendable, Hashable {
  /// Counts the client's rows from 0 without gaps.
  public var sequence: Int64
  /// Nil: one more than the run's last step.
  public var step: Int64?
  /// The client's wall time, kept as sent.
  public var time: Timestamp
  /// Series: metric names and values.
  public var numbers: [(name: String, value: Double)]
  /// Everything that is no number, as it was logged.
  public var others: [(name: String, value: JSONValue)]

  public init(
    sequence: Int64, step: Int64?, time: Timestamp, numbers: [(name: String, value: Double)],
    others: [(name: String, value: JSONValue)]
  ) {
    self.sequence = sequence
    self.step = step
    self.time = time
    self.numbers = numbers
    self.others = others
  }

  public static func == (a: LogRow, b: LogRow) -> Bool {
    a.sequence == b.sequence && a.step == b.step && a.time == b.time
      && a.numbers.elementsEqual(b.numbers) {
        $0.name == $1.name && $0.value.bitPattern == $1.value.bitPattern
      }
      && a.others.elementsEqual(b.others) { $0.name == $1.name && $0.value == $1.value }
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(sequence)
    hasher.combine(step)
  }
}

/// The answer to a batch of rows: they are durable.
public struct AppendReceipt: Sendable, Hashable {
  public var accepted: Int
  public var duplicates: Int
  /// The sequence number that is expected next from this client.
  public var nextSequence: Int64

  public init(accepted: Int, duplicates: Int, nextSequence: Int64) {
    self.accepted = accepted
    self.duplicates = duplicates
    self.nextSequence = nextSequence
  }

  public var json: JSONValue {
    [
      "accepted": .int(Int64(accepted)), "duplicates": .int(Int64(duplicates)),
      "next_seq": .int(nextSequence),
    ]
  }
}

/// Which series of a run, which part of them, how finely.
public struct SeriesWindow: Sendable, Hashable {
  /// Nil: all of the run.
  public var keys: [String]?
  /// 1–20,000.
  public var buckets: Int
  public var fromStep: Int64?
  public var toStep: Int64?
  /// The weight of the past in a moving average, 0..<1; nil: none is asked for.
  public var ema: Double?
  /// Another metric of the same rows, whose values are the x of the points; points of rows without it are left out.
  public var axis: String?

  public init(
    keys: [String]? = nil, buckets: Int = 2_000, fromStep: Int64? = nil, toStep: Int64? = nil,
    ema: Double? = nil, axis: String? = nil
  ) {
    (self.keys, self.buckets, self.fromStep, self.toStep) = (keys, buckets, fromStep, toStep)
    (self.ema, self.axis) = (ema, axis)
  }
}

/// The same window of several runs.
public struct SeriesRequest: Sendable, Hashable {
  public var runs: [PublicID]
  public var window: SeriesWindow
  /// System metrics instead of those that were logged; steps are milliseconds since 1970 then.
  public var isSystem: Bool

  public init(runs: [PublicID], window: SeriesWindow, isSystem: Bool = false) {
    self.runs = runs
    self.window = window
    self.isSystem = isSystem
  }

  public init(
    runs: [PublicID], keys: [String]?, buckets: Int = 2_000, fromStep: Int64? = nil, toStep: Int64? = nil
  ) {
    self.init(
      runs: runs, window: SeriesWindow(keys: keys, buckets: buckets, fromStep: fromStep, toStep: toStep))
  }

  public init(json: JSONValue) throws(JSONMemberError) {
    let reader = try JSONReader(json)
    try reader.allowOnly(["runs", "keys", "buckets", "from_step", "to_step", "ema", "x", "system"])
    runs = []
    for text in try reader.required("runs", reader.strings("runs")) {
      guard let id = PublicID(rawValue: text) else {
        throw JSONMemberError(key: "runs", message: "holds '\(text)', which is no run id")
      }
      runs.append(id)
    }
    isSystem = try reader.bool("system") ?? false
    let buckets = try reader.int("buckets") ?? 2_000
    guard (1...20_000).contains(buckets) else {
      throw JSONMemberError(key: "buckets", message: "must be 1 to 20,000, not \(buckets)")
    }
    let ema = try reader.double("ema")
    if let ema, !(0..<1).contains(ema) {
      throw JSONMemberError(key: "ema", message: "must be at least 0 and below 1, not \(ema)")
    }
    window = SeriesWindow(
      keys: try reader.strings("keys"), buckets: Int(buckets), fromStep: try reader.int("from_step"),
      toStep: try reader.int("to_step"), ema: ema, axis: try reader.string("x"))
  }
}

/// One metric of one run over its steps, raw or in buckets; all arrays are of one length.
public struct Series: Sendable {
  public enum Points: Sendable {
    case raw(values: [Double])
    /// `min` and `max` are NaN where a bucket holds nothing but NaN.
    case buckets(
      first: [Double], last: [Double], min: [Double], max: [Double], mean: [Double], counts: [Int64],
      nanCounts: [Int64])
  }

  public var run: PublicID
  public var key: String
  /// Points in the window.
  public var count: Int
  /// Of each point, or of each bucket's first.
  public var steps: [Int64]
  public var times: [Int64]
  public var points: Points
  /// The moving average at each point, or at each bucket's last; nil when it was not asked for.
  public var averages: [Double]?
  /// The other metric that is the axis, at each point or at each bucket's first; nil when there is none.
  public var xs: [Double]?

  public init(
    run: PublicID, key: String, count: Int, steps: [Int64], times: [Int64], points: Points,
    averages: [Double]? = nil, xs: [Double]? = nil
  ) {
    self.averages = averages
    self.xs = xs
    self.run = run
    self.key = key
    self.count = count
    self.steps = steps
    self.times = times
    self.points = points
  }

  /// About as many bytes as its JSON takes: doubles of 17 digits are long, counts and steps are short.
  public var estimatedJSONLength: Int {
    let doubles =
      switch points {
      case .raw: 1
      case .buckets: 5
      }
    let integers = doubles == 1 ? 2 : 4
    let others = (averages == nil ? 0 : 1) + (xs == nil ? 0 : 1)
    return 256 + steps.count * (20 * (doubles + others) + 10 * integers)
  }

  /// Appends the JSON object, numbers written by hand: a series may be long.
  public func write(to out: inout [UInt8]) {
    func list(_ name: String, _ items: [Double]) {
      out += ",\"\(name)\":[".utf8
      for (index, item) in items.enumerated() {
        if index > 0 { out.append(UInt8(ascii: ",")) }
        JSONValue.write(item, to: &out)
      }
      out.append(UInt8(ascii: "]"))
    }
    func list(_ name: String, _ items: [Int64]) {
      out += ",\"\(name)\":[".utf8
      for (index, item) in items.enumerated() {
        if index > 0 { out.append(UInt8(ascii: ",")) }
        JSONValue.write(item, to: &out)
      }
      out.append(UInt8(ascii: "]"))
    }
    out += "{\"run\":\"\(run)\",\"key\":".utf8
    JSONValue.write(key, to: &out)
    out += ",\"count\":\(count)".utf8
    list("steps", steps)
    list("times", times)
    switch points {
    case .raw(let values):
      out += ",\"kind\":\"raw\"".utf8
      list("values", values)
    case .buckets(let first, let last, let min, let max, let mean, let counts, let nanCounts):
      out += ",\"kind\":\"buckets\"".utf8
      list("first", first)
      list("last", last)
      list("min", min)
      list("max", max)
      list("mean", mean)
      list("counts", counts)
      list("nan_counts", nanCounts)
    }
    if let averages { list("ema", averages) }
    if let xs { list("x", xs) }
    out.append(UInt8(ascii: "}"))
  }
}
