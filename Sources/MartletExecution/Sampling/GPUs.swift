// The GPUs of this machine, asked without waiting for a driver that hangs.

import Synchronization

#if THREAD_SANITIZER
  import MartletModel  // its Mutex
#endif

/// Who is asked about GPUs, and what they said.
package struct GPUSurvey: Sendable, Hashable {
  /// Names of those who are asked, and how many GPUs each told of last.
  package var sources: [(name: String, count: Int)] { zip(names, counts).map { ($0, $1) } }
  /// Seconds for which they have not answered by now; nil: they do.
  package var silence: Double?

  var names: [String] = []
  var counts: [Int] = []
}

/// Drivers are looked for when they are first asked: to open a GPU's library takes time and memory.
package final class GPUs: Sendable {
  /// What they may take before a round goes on without them.
  private let patience: Duration

  /// Used by one call at a time.
  private final class Sources: @unchecked Sendable {
    var list: [any GPUSource]?
  }

  private let sources = Sources()
  private let open: @Sendable () -> [any GPUSource]
  private let call = LonelyCall<[GPUReading]>("gpu")
  private let told = Mutex<GPUSurvey?>(nil)

  package convenience init(environment: [String: String], sys: String = "/sys") {
    self.init { GPUSources.all(environment: environment, sys: sys) }
  }

  /// - Parameter patience: `nvidia-smi` is given ten seconds.
  init(patience: Duration = .seconds(12), _ open: @escaping @Sendable () -> [any GPUSource]) {
    (self.patience, self.open) = (patience, open)
  }

  /// All GPUs; empty when they cannot be asked now. Blocks, for some seconds at most.
  func read(at now: Double) -> [GPUReading] {
    call.value(within: patience) { [self] in
      let list = sources.list ?? open()
      sources.list = list
      let readings = list.map { $0.read(at: now) }
      told.withLock { $0 = GPUSurvey(names: list.map(\.name), counts: readings.map(\.count)) }
      return readings.flatMap(\.self)
    } ?? []
  }

  /// Whether they have not answered for longer than a round waits for them.
  package var isSilent: Bool { call.hangs ?? .zero >= patience }

  /// What was told last; where nobody was asked yet, they are now. Blocks, for some seconds at most.
  ///
  /// - Parameter now: seconds of a steady clock.
  package func survey(at now: Double) -> GPUSurvey {
    if told.withLock(\.self) == nil { _ = read(at: now) }
    var survey = told.withLock(\.self) ?? GPUSurvey()
    if let hangs = call.hangs, hangs >= patience {
      survey.silence = hangs / .seconds(1)
    }
    return survey
  }
}
