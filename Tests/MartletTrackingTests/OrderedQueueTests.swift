// Jobs one after the other, in the order in which they came.

import MartletModel
import MartletTestSupport
import MartletTracking
import Synchronization
import Testing

@Suite struct OrderedQueueTests {
  private final class Record: Sendable {
    private let state = Mutex<(entries: [Int], atWork: Int, most: Int)>(([], 0, 0))

    var entries: [Int] { state.withLock { $0.entries } }
    var most: Int { state.withLock { $0.most } }

    func begin() {
      state.withLock {
        $0.atWork += 1
        $0.most = max($0.most, $0.atWork)
      }
    }

    func end(_ number: Int) {
      state.withLock {
        $0.atWork -= 1
        $0.entries.append(number)
      }
    }
  }

  @Test func `no job meets another half done, however they wait`() async throws {
    let queue = OrderedQueue()
    let record = Record()
    try await withThrowingTaskGroup(of: Int.self) { group in
      for number in 0..<400 {
        group.addTask {
          try await queue.run {
            record.begin()
            for _ in 0..<(number % 5) { await Task.yield() }
            record.end(number)
            return number
          }
        }
      }
      var sum = 0
      for try await number in group { sum += number }
      #expect(sum == 399 * 400 / 2, "each got its own answer")
    }
    #expect(record.most == 1)
    #expect(record.entries.sorted() == Array(0..<400))
  }

  @Test func `the order of coming is the order of doing`() async throws {
    let queue = OrderedQueue()
    let record = Record()
    let (gate, opening) = AsyncStream.makeStream(of: Void.self)
    let first = Task.immediate {
      try await queue.run {
        for await _ in gate { break }
        record.begin()
        record.end(0)
      }
    }
    var others: [Task<Void, any Error>] = []
    for number in 1..<50 {
      // An immediate task runs to its first wait at once: each is in the queue before the next one comes.
      others.append(
        Task.immediate {
          try await queue.run {
            record.begin()
            record.end(number)
          }
        })
    }
    opening.yield()
    try await first.value
    for task in others { try await task.value }
    #expect(record.entries == Array(0..<50))
  }

  @Test func `a job that fails does not hold up the next`() async throws {
    let queue = OrderedQueue()
    _ = try await problem(.internal) { try await queue.run { throw Problem(.internal, "no") } }
    #expect(try await queue.run { 5 } == 5)
  }

  @Test func `drain waits for all that is in the queue`() async throws {
    let queue = OrderedQueue()
    let record = Record()
    let (gate, opening) = AsyncStream.makeStream(of: Void.self)
    let job = Task {
      try await queue.run {
        opening.finish()
        for _ in 0..<200 { await Task.yield() }
        record.begin()
        record.end(1)
      }
    }
    for await _ in gate {}
    await queue.drain()
    #expect(record.entries == [1])
    try await job.value
  }
}
