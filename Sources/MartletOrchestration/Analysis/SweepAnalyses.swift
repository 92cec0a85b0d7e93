// Analyses of sweeps, kept until the trials that they were made from have changed.

import Dispatch
import MartletModel
import MartletStore
import OrderedCollections

/// Makes analyses one at a time on a thread of its own, and keeps the newest of those that were asked for last.
///
/// Who asks for one that is being made waits for it: it is not made twice.
actor SweepAnalyses {
  struct Key: Hashable, Sendable {
    var sweep: PublicID
    var question: SweepFindings.Question
  }

  private struct Entry {
    var mark: TrialMark
    var answer: Task<[UInt8], any Error>
    /// Of the answer, once it is there.
    var size = 0
  }

  /// So many are kept. One of 20 parameters takes about 40 KB; charts of 10,000 trials take megabytes.
  static let most = 16
  /// So many bytes are kept, and the newest answer whatever its size.
  static let mostBytes = 32 << 20

  /// The one that was asked for longest ago is the first.
  private var entries: OrderedDictionary<Key, Entry> = [:]
  private let queue = DispatchQueue(label: "martlet.analysis", qos: .utility)

  /// - Parameters:
  ///   - mark: of the trials as they are now.
  ///   - read: reads what is needed, and gives what is to be done with it on the thread of analyses.
  func answer(
    _ key: Key, _ mark: TrialMark,
    read: @escaping @Sendable () async throws -> @Sendable () throws -> [UInt8]
  ) async throws -> [UInt8] {
    if let entry = entries.removeValue(forKey: key), entry.mark == mark {
      entries[key] = entry
      return try await entry.answer.value
    }
    let queue = queue
    let answer = Task {
      let make = try await read()
      return try await withCheckedThrowingContinuation { (made: CheckedContinuation<[UInt8], any Error>) in
        queue.async { made.resume(with: Result(catching: make)) }
      }
    }
    entries[key] = Entry(mark: mark, answer: answer)
    if entries.count > Self.most { entries.removeFirst() }
    do {
      let bytes = try await answer.value
      if entries[key]?.answer == answer { entries[key]?.size = bytes.count }
      while entries.count > 1, entries.values.reduce(0, { $0 + $1.size }) > Self.mostBytes {
        entries.removeFirst()
      }
      return bytes
    } catch {
      // It may go well the next time.
      if entries[key]?.answer == answer { entries[key] = nil }
      throw error
    }
  }
}
