// How often, and after what pause, an attempt that went wrong is followed by another.

/// Why an attempt did not succeed.
package enum Fault: String, Sendable, CaseIterable, Hashable {
  /// The machine or Martlet itself: its supervisor was killed, the machine restarted, nothing could be started.
  case infra
  /// The program: it left with another code than 0, or by a signal.
  case failure
  /// Memory: it was ended by a memory limit, or by the kernel for want of memory.
  case oom
  /// Time: it was ended by its time limit.
  case timeout
}

/// Retries by cause.
package struct RetryPolicy: Sendable, Hashable {
  /// How often each fault is forgiven.
  package var limits: [Fault: Int]
  /// Seconds before the first retry for a fault; each further one waits twice as long.
  package var pause: Double
  /// Seconds, at most.
  package var longestPause: Double

  package init(limits: [Fault: Int] = [:], pause: Double = 1, longestPause: Double = 300) {
    self.limits = limits
    self.pause = pause
    self.longestPause = longestPause
  }

  /// Seconds until the next try after so many retries for the same fault; nil: there is none.
  package func pause(after retries: Int, for fault: Fault) -> Double? {
    guard retries < limits[fault] ?? 0 else { return nil }
    // 2^60 pauses of any length are longer than the longest.
    return min(longestPause, pause * Double(UInt64(1) << UInt64(min(retries, 60))))
  }
}
