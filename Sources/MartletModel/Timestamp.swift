// Points in time as the store, the wire and the browser hold them.

/// Microseconds since 1970-01-01 00:00 UTC.
public struct Timestamp: Hashable, Comparable, Sendable {
  public var microseconds: Int64

  public init(microseconds: Int64) { self.microseconds = microseconds }

  public static func < (a: Timestamp, b: Timestamp) -> Bool { a.microseconds < b.microseconds }
  public static func + (a: Timestamp, seconds: Double) -> Timestamp {
    Timestamp(microseconds: a.microseconds + Int64(seconds * 1e6))
  }
  /// Seconds from `b` to `a`.
  public static func - (a: Timestamp, b: Timestamp) -> Double {
    Double(a.microseconds - b.microseconds) / 1e6
  }
}

/// Where the time comes from; passed in, so that tests and simulations have their own.
public protocol WallClock: Sendable {
  var now: Timestamp { get }
  /// Seconds that never jump: two readings tell how much time has passed, whatever the wall clock was set to.
  var uptime: Double { get }
}

extension WallClock {
  public var uptime: Double { Double(now.microseconds) / 1e6 }
}

extension JSONValue {
  public init(_ time: Timestamp?) { self = time.map { .int($0.microseconds) } ?? .null }
}
