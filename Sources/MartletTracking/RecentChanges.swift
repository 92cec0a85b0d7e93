// What changed last: so a watcher who was away is told what it missed, and nothing else.

package import MartletModel

/// The number of the newest change of each row and each run's points, as far back as it can be kept.
///
/// Not the changes themselves: of a row only its newest state is worth telling, and that is in the database. So fifty runs
/// that log for a day take fifty places, and whoever was away for that day is told fifty rows.
package struct RecentChanges: Sendable {
  /// What changed.
  package enum Subject: Sendable, Hashable {
    case run(PublicID)
    /// The run is in the trash, or gone, or another project's: what was there is to be found nowhere else.
    case gone(PublicID, project: String)
    case sweep(PublicID)
    case trial(sweep: PublicID, number: Int)
    /// Rows were stored, or taken back.
    case points(PublicID)
    /// System metrics were sampled.
    case system(PublicID)
    /// An alert, by its id.
    case alert(Int64)
    /// Devices, who holds them and who waits.
    case pool
  }

  package struct Change: Sendable, Hashable {
    package var subject: Subject
    package var sequence: UInt64
  }

  /// Subjects that are kept at least; twice as many at most.
  private let capacity: Int
  private var newest: [Subject: UInt64] = [:]
  /// All changes above this one are known.
  private var floor: UInt64 = 0

  /// 8,192 subjects take about a megabyte.
  init(capacity: Int = 8_192) { self.capacity = capacity }

  mutating func note(_ subject: Subject, _ sequence: UInt64) {
    newest[subject] = sequence
    guard newest.count >= 2 * capacity else { return }
    // The older half goes at once: each change pays for a small part of that.
    let sequences = newest.values.sorted()
    floor = sequences[sequences.count - capacity - 1]
    newest = newest.filter { $0.value > floor }
  }

  /// What changed after `sequence`, in no order.
  ///
  /// - Returns: nil when that is not known any more.
  func changes(after sequence: UInt64) -> [Change]? {
    guard sequence >= floor else { return nil }
    return newest.compactMap { $0.value > sequence ? Change(subject: $0.key, sequence: $0.value) : nil }
  }
}

extension FeedEvent {
  /// What it is a change of.
  var subject: RecentChanges.Subject {
    switch self {
    case .run(let run): .run(run.id)
    case .sweep(let sweep): .sweep(sweep.id)
    case .trial(let sweep, let trial): .trial(sweep: sweep, number: trial.number)
    case .points(let run, _), .rewound(let run): .points(run)
    case .system(let run, _): .system(run)
    case .deleted(let run, let project), .moved(let run, let project): .gone(run, project: project)
    case .alert(let alert): .alert(alert.id)
    case .pool: .pool
    }
  }
}
