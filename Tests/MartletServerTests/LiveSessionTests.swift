// What a client of the live feed is told, without sockets.

import Foundation
import MartletModel
import MartletSeries
import MartletStore
import NIOCore
import NIOWebSocket
import OrderedCollections
import Testing

@testable import MartletServer
@testable import MartletTracking

@Suite struct LiveSessionTests {
  private func id(_ letter: Character) throws -> PublicID {
    try #require(PublicID(rawValue: String(repeating: letter, count: 8)))
  }

  private func run(_ letter: Character, project: String = "digits", notes: String = "") throws -> Run {
    var run = Run(
      id: try id(letter), project: project, name: "n", state: .running, createdAt: Timestamp(microseconds: 1),
      createdBy: "local")
    run.notes = notes
    return run
  }

  private func session(project: String? = nil, run: PublicID? = nil) -> LiveSession {
    LiveSession(
      access: Access(
        principal: Principal(row: 1, kind: .token, name: "t"), token: nil, scopes: [.read], project: project,
        run: run), epoch: "epoch")
  }

  private func subscribe(_ session: inout LiveSession, _ id: UInt32, _ topic: LiveTopic) throws {
    _ = try session.subscribe(id, to: topic)
    session.announce(id, sequence: 0)
    _ = session.takeReplies()
  }

  private func batch(_ count: Int, from first: Int = 0, also key: String? = nil) -> RowBatch {
    let rows = first..<(first + count)
    var batch = RowBatch(
      firstSequence: 0, steps: rows.map(Int64.init), times: rows.map { Int64($0) * 10 },
      numbers: [RowBatch.Numbers(name: "loss", rows: .all, values: rows.map { Double($0) / 2 })])
    if let key { batch.numbers.append(RowBatch.Numbers(name: key, rows: .some([0]), values: [0])) }
    return batch
  }

  private func texts(_ frames: [LiveFrame]) throws -> [JSONValue] {
    try frames.filter { if case .points = $0 { false } else { true } }.map {
      try JSONValue.parse(Array($0.webSocketFrame.data.readableBytesView))
    }
  }

  private func binaries(_ frames: [LiveFrame]) -> [[UInt8]] {
    frames.compactMap {
      if case .points(let points) = $0 { Array(points.bytes.readableBytesView) } else { nil }
    }
  }

  private func words(of bytes: [UInt8]) throws -> [Int64] {
    #expect(bytes.count % 8 == 0)
    var buffer = ByteBuffer(bytes: bytes)
    var words: [Int64] = []
    while let word = buffer.readInteger(endianness: .little, as: Int64.self) { words.append(word) }
    return words
  }

  @Test func `of a row that changed often only the newest state is told`() throws {
    var session = session()
    try subscribe(&session, 1, .runs(project: "digits"))
    for number in 1...5 {
      let isNew = session.receive(UInt64(number), .run(try run("a", notes: "\(number)")))
      #expect(isNew)
    }
    let isHeard1 = session.receive(6, .run(try run("b", project: "letters")))
    #expect(!isHeard1)
    let told = try texts(session.takeChanges())
    #expect(told.count == 1)
    #expect(told.first?["seq"] == 5)
    #expect(told.first?["run"]?["notes"] == "5")
    #expect(!session.hasChanges)
    #expect(session.takeChanges().isEmpty)
  }

  @Test func `nothing is told before the subscription is announced, and nothing from then on is missed`()
    throws
  {
    var session = session()
    _ = try session.subscribe(1, to: .run(try id("a")))
    let isHeard2 = session.receive(7, .run(try run("a")))
    #expect(isHeard2)
    #expect(!session.hasChanges)
    session.announce(1, sequence: 7)
    #expect(
      try texts(session.takeReplies()) == [
        ["type": "subscribed", "id": 1, "seq": 7, "epoch": "epoch", "resumed": false]
      ])
    #expect(session.hasChanges)
  }

  @Test func `restricted tokens are told of nothing else`() throws {
    var bound = session(project: "digits")
    try subscribe(&bound, 1, .runs(project: nil))
    try subscribe(&bound, 2, .sweeps)
    let isHeard3 = bound.receive(1, .run(try run("a", project: "letters")))
    #expect(!isHeard3)
    let isHeard4 = bound.receive(2, .run(try run("b")))
    #expect(isHeard4)
    var attempt = session(run: try id("a"))
    try subscribe(&attempt, 1, .runs(project: nil))
    try subscribe(&attempt, 2, .sweeps)
    let isHeard5 = attempt.receive(1, .run(try run("b")))
    #expect(!isHeard5)
    let isHeard6 = attempt.receive(2, .run(try run("a")))
    #expect(isHeard6)
  }

  @Test func `points become frames with their names before them`() throws {
    var session = session()
    try subscribe(&session, 5, .points(runs: [try id("a"), try id("b")], keys: ["loss"]))
    _ = session.receive(1, .points(run: try id("a"), batch(2, also: "other")))
    _ = session.receive(2, .points(run: try id("b"), batch(1, from: 9)))
    let isHeard7 = session.receive(3, .points(run: try id("c"), batch(1)))
    #expect(!isHeard7)
    let frames = session.takeChanges()
    #expect(
      try texts(frames) == [
        ["type": "names", "id": 5, "runs": ["0": "aaaaaaaa", "1": "bbbbbbbb"], "keys": ["0": "loss"]],
        ["type": "told", "id": 5, "seq": 2],
      ])
    let (half, more) = (Int64(bitPattern: Double(0.5).bitPattern), Int64(bitPattern: Double(4.5).bitPattern))
    let words = try words(of: try #require(binaries(frames).first))
    // Two 32-bit numbers make a word: the later one is its upper half.
    let expected: [Int64] = [5, 0, 2 | 1 << 32, 0, 1, 0, 10, 0, half, 1 << 32, 1 | 1 << 32, 9, 90, more]
    #expect(words == expected)
    // The numbers stay, and are not told twice.
    _ = session.receive(4, .points(run: try id("b"), batch(1)))
    let later = session.takeChanges()
    #expect(try texts(later) == [["type": "told", "id": 5, "seq": 4]])
    let numbers: [UInt8] = [0, 0, 0, 0, 1, 0, 0, 0]
    #expect(Array(try #require(binaries(later).first)[8..<16]) == numbers)
  }

  @Test func `beyond the bound a client is told to read again, and then hears on`() throws {
    var session = session()
    try subscribe(&session, 5, .points(runs: [try id("a"), try id("b")], keys: nil))
    _ = session.receive(1, .points(run: try id("a"), batch(PointBuffer.capacity)))
    _ = session.receive(2, .points(run: try id("b"), batch(1)))
    _ = session.receive(3, .points(run: try id("a"), batch(1_000_000)))
    let frames = session.takeChanges()
    #expect(binaries(frames).isEmpty)
    #expect(try texts(frames).first == ["type": "changed", "id": 5, "runs": ["aaaaaaaa", "bbbbbbbb"]])
    _ = session.receive(4, .points(run: try id("b"), batch(1)))
    #expect(binaries(session.takeChanges()).count == 1)
  }

  @Test func `a deleted run is told as such, and a restored one as a row again`() throws {
    var session = session(project: "digits")
    let (a, b) = (try id("a"), try id("b"))
    try subscribe(&session, 1, .runs(project: "digits"))
    try subscribe(&session, 2, .run(a))
    try subscribe(&session, 3, .points(runs: [a], keys: nil))
    try subscribe(&session, 4, .sweeps)
    _ = session.receive(1, .run(try run("a")))
    let isHeard1 = session.receive(2, .deleted(run: a, project: "digits"))
    #expect(isHeard1)
    let isHeard2 = session.receive(3, .deleted(run: b, project: "letters"))
    #expect(!isHeard2)
    // Of a run only the newest word is told: not the row before it was deleted.
    #expect(
      try texts(session.takeChanges()) == [
        ["type": "deleted", "id": 1, "seq": 2, "run": "aaaaaaaa"],
        ["type": "deleted", "id": 2, "seq": 2, "run": "aaaaaaaa"],
        ["type": "deleted", "id": 3, "seq": 0, "run": "aaaaaaaa"], ["type": "told", "id": 3, "seq": 2],
      ])
    _ = session.receive(4, .deleted(run: a, project: "digits"))
    _ = session.receive(5, .run(try run("a", notes: "back")))
    let told = try texts(session.takeChanges())
    #expect(told.filter { $0["type"] == "run" }.map { $0["id"] } == [1, 2])
    var attempt = self.session(run: b)
    try subscribe(&attempt, 1, .runs(project: nil))
    let isHeard3 = attempt.receive(1, .deleted(run: a, project: "digits"))
    #expect(!isHeard3)
  }

  /// The line may break behind any message: none may have a number above that of points that come after it.
  @Test func `a deletion among points has no number of its own`() throws {
    var session = session()
    let (a, b) = (try id("a"), try id("b"))
    try subscribe(&session, 5, .points(runs: [a, b], keys: nil))
    _ = session.receive(115, .points(run: b, batch(2)))
    _ = session.receive(120, .deleted(run: a, project: "digits"))
    let frames = session.takeChanges()
    #expect(binaries(frames).count == 1)
    #expect(try texts(frames).map { $0["type"] } == ["deleted", "names", "told"])
    #expect(try texts(frames).compactMap { $0["seq"] } == [0, 120])
    #expect(!session.hasChanges && session.isUpToDate)
  }

  @Test func `while a deletion is still to be read, nothing says that all is told`() throws {
    var session = session()
    let (a, b) = (try id("a"), try id("b"))
    _ = try session.subscribe(5, to: .points(runs: [a, b], keys: nil))
    let missed: [RecentChanges.Change] = [
      .init(subject: .gone(a, project: "digits"), sequence: 110), .init(subject: .points(b), sequence: 115),
    ]
    session.announce(5, sequence: 115, .resumed(since: 100, missed: missed))
    _ = session.takeReplies()
    #expect(
      try texts(session.takeChanges()) == [["type": "changed", "id": 5, "runs": ["bbbbbbbb"]]])
    #expect(!session.hasChanges && !session.isUpToDate)
    session.pay(try #require(session.nextDebt()), runs: [:])
    #expect(
      try texts(session.takeChanges()) == [
        ["type": "deleted", "id": 5, "seq": 0, "run": "aaaaaaaa"], ["type": "told", "id": 5, "seq": 115],
      ])
    #expect(session.isUpToDate)
    // A run that is not gone after all: what was held back is told then.
    _ = try session.subscribe(6, to: .points(runs: [a, b], keys: nil))
    session.announce(
      6, sequence: 125,
      .resumed(
        since: 120,
        missed: [.init(subject: .run(a), sequence: 122), .init(subject: .points(b), sequence: 125)]))
    _ = session.takeReplies()
    #expect(try texts(session.takeChanges()).map { $0["type"] } == ["changed"])
    session.pay(try #require(session.nextDebt()), runs: [a: try run("a")])
    #expect(try texts(session.takeChanges()) == [["type": "told", "id": 6, "seq": 125]])
  }

  @Test func `a debt that cannot be read ends its own subscription, not one that took its place`() throws {
    var session = session()
    try subscribe(&session, 1, .run(try id("a")))
    let before = try #require(session.subscriptions[1]?.generation)
    try subscribe(&session, 1, .run(try id("b")))
    let problem = Problem(.notFound, "There is no run.")
    session.refuse(1, generation: before, problem)
    #expect(session.takeReplies().isEmpty)
    #expect(session.subscriptions[1] != nil)
    session.refuse(1, generation: session.subscriptions[1]?.generation, problem)
    #expect(session.subscriptions[1] == nil)
    #expect(try texts(session.takeReplies()).map { $0["type"] } == ["error"])
  }

  @Test func `a run that was moved is gone for a token of its old project, and its points too`() throws {
    var session = session(project: "digits")
    let (a, b) = (try id("a"), try id("b"))
    try subscribe(&session, 1, .run(a))
    try subscribe(&session, 2, .points(runs: [a, b], keys: nil))
    try subscribe(&session, 3, .systemPoints(runs: [a], keys: nil))
    _ = session.receive(1, .points(run: a, batch(1)))
    _ = session.receive(2, .moved(run: a, from: "digits"))
    _ = session.receive(3, .run(try run("a", project: "letters")))
    _ = session.receive(4, .points(run: b, batch(1)))
    let frames = session.takeChanges()
    #expect(try texts(frames).filter { $0["type"] == "deleted" }.map { $0["id"] } == [1, 2, 3])
    // What waited of it is not told; that of the other run is.
    #expect(try texts(frames).allSatisfy { $0["type"] != "changed" })
    #expect(binaries(frames).count == 1)
    let told = try words(of: try #require(binaries(frames).first))
    #expect(told.prefix(2) == [2, 1 << 32])
    for event in [FeedEvent.points(run: a, batch(1)), .system(run: a, batch(1)), .rewound(run: a)] {
      let isHeard = session.receive(5, event)
      #expect(!isHeard)
    }
    let isHeard = session.receive(6, .points(run: b, batch(1)))
    #expect(isHeard)
  }

  @Test func `points that were taken back are to be read again`() throws {
    var session = session()
    let (a, b) = (try id("a"), try id("b"))
    try subscribe(&session, 5, .points(runs: [a, b], keys: nil))
    _ = session.receive(1, .points(run: a, batch(3)))
    _ = session.receive(2, .points(run: b, batch(3)))
    let isHeard1 = session.receive(3, .rewound(run: a))
    #expect(isHeard1)
    let isHeard2 = session.receive(4, .rewound(run: try id("c")))
    #expect(!isHeard2)
    let frames = session.takeChanges()
    #expect(binaries(frames).isEmpty)
    #expect(try texts(frames).first == ["type": "changed", "id": 5, "runs": ["aaaaaaaa", "bbbbbbbb"]])
  }

  @Test func `rows without a name leave no gap in its series`() throws {
    var session = session()
    try subscribe(&session, 1, .points(runs: [try id("a")], keys: ["acc"]))
    let points = RowBatch(
      firstSequence: 0, steps: [5, 6, 7], times: [50, 60, 70],
      numbers: [
        RowBatch.Numbers(name: "loss", rows: .all, values: [1, 2, 3]),
        RowBatch.Numbers(name: "acc", rows: .some([0, 2]), values: [0.5, 0.25]),
      ])
    _ = session.receive(1, .points(run: try id("a"), points))
    let words = try words(of: try #require(binaries(session.takeChanges()).first))
    let values = [0.5, 0.25].map { Int64(bitPattern: $0.bitPattern) }
    #expect(words == [1, 0, 2 | 1 << 32, 5, 7, 50, 70] + values)
  }

  @Test func `a trial's change comes with its sweep's row`() throws {
    var session = session()
    let sweep = Sweep(
      id: try id("s"), project: "digits", name: "grid", description: "", state: .running, method: "grid",
      objective: nil, parameters: [], maxParallel: 2, timeout: nil, command: [], workdir: "/",
      outputDirectory: "/",
      spaceSize: nil, budget: nil, createdAt: Timestamp(microseconds: 1), createdBy: "local", seed: 1,
      source: "")
    let trial = Trial(
      number: 3, state: .running, run: try id("a"), runName: "n", runState: .running, parameters: [:],
      createdAt: Timestamp(microseconds: 1))
    try subscribe(&session, 3, .sweep(sweep.id))
    session.remember(sweep, for: 3)
    let isHeard8 = session.receive(8, .trial(sweep: sweep.id, trial))
    #expect(isHeard8)
    let isHeard9 = session.receive(9, .trial(sweep: try id("x"), trial))
    #expect(!isHeard9)
    let told = try #require(try texts(session.takeChanges()).first)
    #expect(told["seq"] == 8)
    #expect(told["sweep"]?["name"] == "grid")
    #expect(told["trials"]?.array?.first?["number"] == 3)
  }

  private func sweep() throws -> Sweep {
    Sweep(
      id: try id("s"), project: "digits", name: "grid", description: "", state: .running, method: "grid",
      objective: nil, parameters: [], maxParallel: 2, timeout: nil, command: [], workdir: "/",
      outputDirectory: "/", spaceSize: nil, budget: nil, createdAt: Timestamp(microseconds: 1),
      createdBy: "local", seed: 1, source: "")
  }

  private func trials(_ numbers: Range<Int>) throws -> [Trial] {
    let run = try id("a")
    return numbers.map {
      Trial(
        number: $0, state: .running, run: run, runName: "n", runState: .running, parameters: [:],
        createdAt: Timestamp(microseconds: 1))
    }
  }

  @Test func `a sweep's snapshot is read as its client reads, and has a number at its end alone`() throws {
    var session = session()
    let count = 5 * LiveSession.rowsAtOnce + 7
    _ = try session.subscribe(3, to: .sweep(try id("s")))
    session.remember(try sweep(), for: 3)
    session.announce(3, sequence: 7, wantsSnapshot: true)
    _ = session.takeReplies()
    // A change among them is newer than what was read, and is told as such.
    let isHeard = session.receive(8, .trial(sweep: try id("s"), try trials(4..<5)[0]))
    #expect(isHeard && !session.isUpToDate)
    var (told, sequences): ([Int64], [Int64]) = ([], [])
    while session.isBehind || session.hasChanges {
      if let debt = session.nextDebt(), case .trials(_, .from(let first)) = debt.what {
        let numbers = first..<min(first + LiveSession.rowsAtOnce, count)
        let next = numbers.upperBound < count ? numbers.upperBound : nil
        session.pay(debt, try sweep(), try trials(numbers), next: next, sequence: 9)
      }
      let waiting = session.subscriptions[3]?.trials.count ?? 0
      #expect(waiting <= LiveSession.rowsAtOnce)
      for message in try texts(session.takeChanges()) where message["type"] == "sweep" {
        told += message["trials"]?.array?.compactMap { $0["number"]?.int } ?? []
        sequences.append(message["seq"]?.int ?? -1)
      }
    }
    #expect(told == Array(0..<Int64(count)))
    #expect(sequences.dropLast().allSatisfy { $0 == 0 } && sequences.last == 9)
    #expect(session.isUpToDate)
  }

  @Test func `of a client that does not read few trials wait, and the others are read for it later`() throws {
    var session = session()
    try subscribe(&session, 3, .sweep(try id("s")))
    session.remember(try sweep(), for: 3)
    let all = try trials(0..<2_000)
    for (number, trial) in all.enumerated() {
      _ = session.receive(UInt64(number + 1), .trial(sweep: try id("s"), trial))
    }
    #expect(session.subscriptions[3]?.trials.count == LiveSession.maximumTrials)
    let first = try texts(session.takeChanges())
    #expect(first.allSatisfy { $0["seq"] == 0 }, "not all was told")
    // Each of these is asked for by its number.
    var rest: Set<Int64> = []
    var last: Int64 = 0
    while session.isBehind || session.hasChanges {
      if let debt = session.nextDebt(), case .trials(_, .these(let numbers)) = debt.what {
        session.pay(debt, try sweep(), numbers.map { all[$0] }, next: nil, sequence: 2_000)
      }
      for message in try texts(session.takeChanges()) {
        rest.formUnion(message["trials"]?.array?.compactMap { $0["number"]?.int } ?? [])
        last = message["seq"]?.int ?? -1
      }
    }
    #expect(rest == Set(Int64(LiveSession.maximumTrials)..<2_000))
    #expect(last == 2_000)
  }

  /// Runs with ids of their own.
  private func manyRuns(_ count: Int) throws -> [Run] {
    let letters = Array("abcdefghijklmnopqrstuvwxyz")
    return try (0..<count).map { number in
      var (rest, text) = (number, "")
      for _ in 0..<8 {
        text.append(letters[rest % 26])
        rest /= 26
      }
      return Run(
        id: try #require(PublicID(rawValue: text)), project: "digits", name: "n", state: .running,
        createdAt: Timestamp(microseconds: 1), createdBy: "local")
    }
  }

  @Test func `who is owed too much begins anew, and with its snapshot where it has one`() throws {
    let runs = try manyRuns(LiveSession.maximumRows + LiveSession.maximumOwed + 10)
    for wantsSnapshot in [false, true] {
      var session = session()
      _ = try session.subscribe(1, to: .runs(project: nil))
      session.announce(1, sequence: 0, wantsSnapshot: wantsSnapshot)
      _ = session.takeReplies()
      if wantsSnapshot {
        session.pay(try #require(session.nextDebt()), page: Page(items: [], next: nil))
        _ = session.takeChanges()
      }
      for (number, run) in runs.enumerated() { _ = session.receive(UInt64(number + 1), .run(run)) }
      let last = Int64(runs.count)
      #expect(session.subscriptions[1]?.owedCount == 0 && session.subscriptions[1]?.runs.isEmpty == true)
      #expect(session.hasChanges && !session.isUpToDate)
      let told = try texts(session.takeChanges())
      #expect(
        told == [
          ["type": "subscribed", "id": 1, "seq": .int(last), "epoch": "epoch", "resumed": false],
          ["type": "reset", "id": 1],
        ])
      // From here on nothing is missed.
      #expect(session.isBehind == wantsSnapshot)
      if wantsSnapshot {
        let debt = try #require(session.nextDebt())
        session.pay(debt, page: Page(items: [runs[0]], next: nil))
        #expect(try texts(session.takeChanges()).map { $0["type"] } == ["run", "snapshot"])
      }
      _ = session.receive(UInt64(last + 1), .run(runs[3]))
      #expect(try texts(session.takeChanges()).map { $0["seq"] } == [.int(last + 1)])
      #expect(session.isUpToDate)
    }
  }

  @Test func `many subscriptions together are owed no more than a client may be`() throws {
    var session = session()
    let runs = try manyRuns(LiveSession.maximumRows + 10_000)
    for id in 1...10 { try subscribe(&session, UInt32(id), .runs(project: nil)) }
    for (number, run) in runs.enumerated() {
      _ = session.receive(UInt64(number + 1), .run(run))
      let owed = session.subscriptions.values.reduce(0) { $0 + $1.owedCount }
      guard owed <= LiveSession.maximumOwedTogether else {
        Issue.record("\(owed) rows are owed")
        break
      }
    }
    let told = try texts(session.takeChanges())
    #expect(told.contains { $0["type"] == "reset" })
    #expect(!told.allSatisfy { $0["type"] == "reset" || $0["type"] == "subscribed" })
  }

  @Test func `subscribing again under an id replaces, and there is an end to it`() throws {
    var session = session()
    try subscribe(&session, 1, .run(try id("a")))
    try subscribe(&session, 1, .run(try id("b")))
    let isHeard10 = session.receive(1, .run(try run("a")))
    #expect(!isHeard10)
    session.unsubscribe(1)
    let isHeard11 = session.receive(2, .run(try run("b")))
    #expect(!isHeard11)
    for number in 0..<UInt32(LiveSession.maximumSubscriptions) { try subscribe(&session, number, .sweeps) }
    #expect(throws: Problem.self) { try session.subscribe(9_999, to: .sweeps) }
    #expect(throws: Never.self) { try session.subscribe(3, to: .sweeps) }
  }

  @Test func `answers that nobody takes are counted`() throws {
    var session = session()
    let problem = Problem(.notFound, "There is no run.")
    for number in 1..<UInt32(LiveSession.maximumReplies) { session.refuse(number, problem) }
    #expect(!session.isFlooded)
    session.refuse(0, problem)
    #expect(session.isFlooded)
    _ = session.takeReplies()
    #expect(!session.isFlooded)
  }

  @Test(arguments: [
    "", "[]", "{}", #"{"type":"hello"}"#, #"{"type":"subscribe","topic":"runs"}"#,
    #"{"type":"subscribe","id":-1,"topic":"runs"}"#,
    #"{"type":"subscribe","id":4294967296,"topic":"runs"}"#, #"{"type":"subscribe","id":1,"topic":"news"}"#,
    #"{"type":"subscribe","id":1,"topic":"run","run":"../etc"}"#,
    #"{"type":"subscribe","id":1,"topic":"points"}"#,
    #"{"type":"subscribe","id":1,"topic":"runs","project":"\#(String(repeating: "p", count: 257))"}"#,
    #"{"type":"subscribe","id":1,"topic":"log","run":"abcd1234","stream":"stdin"}"#,
    #"{"type":"unsubscribe"}"#, #"{"type":"subscribe","id":1,"topic":"runs","since":4}"#,
    #"{"type":"subscribe","id":1,"topic":"runs","since":-1,"epoch":"e"}"#,
    #"{"type":"subscribe","id":1,"topic":"runs","snapshot":1}"#,
  ]) func `unreadable messages are told apart`(text: String) {
    #expect(throws: UnreadableMessage.self) { try LiveMessage(text: Array(text.utf8)) }
  }
}
