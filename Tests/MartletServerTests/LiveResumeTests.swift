// A client that was away is told what it missed, whatever happened and wherever its connection broke.

import MartletModel
import MartletSeries
import MartletTestSupport
import OrderedCollections
import Testing

@testable import MartletServer
@testable import MartletTracking

/// What is true of runs, and what was told of it.
private struct World {
  let feed: LiveFeed
  private(set) var runs: [PublicID: Run] = [:]
  /// Rows of each run's only series.
  private(set) var rows: [PublicID: Int] = [:]
  var ids: [PublicID] = []

  init(runs count: Int, memory: Int) throws {
    feed = LiveFeed(epoch: "first", memory: memory)
    for number in 0..<count { ids.append(try #require(PublicID(rawValue: String(10_000_000 + number)))) }
  }

  /// Changes a run's row, as a commit does that is then told.
  mutating func change(_ id: PublicID, version: Int) {
    var run = Run(
      id: id, project: "digits", name: "n", state: .running, createdAt: Timestamp(microseconds: 1),
      createdBy: "local")
    run.notes = String(version)
    runs[id] = run
    feed.publish([.run(run)])
  }

  mutating func delete(_ id: PublicID) {
    guard runs.removeValue(forKey: id) != nil else { return }
    feed.publish([.deleted(run: id, project: "digits")])
  }

  /// Rows without values would be no points.
  mutating func log(_ id: PublicID, rows count: Int) {
    let first = rows[id, default: 0]
    rows[id] = first + count
    feed.publish([
      .points(
        run: id,
        RowBatch(
          firstSequence: 0, steps: (first..<first + count).map(Int64.init),
          times: Array(repeating: 1, count: count),
          numbers: [.init(name: "x", rows: .all, values: Array(repeating: 1, count: count))]))
    ])
  }
}

/// A page: what it holds, by what it was told and what it read.
private struct Watcher {
  private(set) var session: LiveSession?
  private var place: FeedSubscription?
  private let noted = Noted()
  private(set) var versions: [PublicID: String] = [:]
  private(set) var steps: [PublicID: [Int64]] = [:]
  private(set) var resets = 0
  private(set) var resumes = 0
  private var places: [UInt32: UInt64] = [:]

  /// Events as they were told to this connection, not heard yet.
  final class Noted: @unchecked Sendable {
    // One thread plays all the parts.
    var events: [(UInt64, FeedEvent)] = []
  }

  /// Connects, goes on where it was, and reads what it cannot be told.
  mutating func connect(to world: World) throws {
    let access = Access(
      principal: Principal(row: 1, kind: .token, name: "t"), token: nil, scopes: [.read], project: nil,
      run: nil)
    var session = LiveSession(access: access, epoch: world.feed.epoch)
    let noted = noted
    noted.events = []
    place = world.feed.subscribe { sequence, event in noted.events.append((sequence, event)) }
    let topics: [(UInt32, LiveTopic)] = [
      (1, .runs(project: "digits")), (2, .points(runs: Set(world.ids), keys: nil)),
    ]
    for (id, topic) in topics {
      _ = try session.subscribe(id, to: topic)
      let since = places[id]
      let missed = since.flatMap { world.feed.changes(after: $0, epoch: world.feed.epoch) }
      if let since, let missed {
        resumes += 1
        session.announce(id, sequence: world.feed.sequence, .resumed(since: since, missed: missed))
      } else {
        resets += since == nil ? 0 : 1
        session.announce(id, sequence: world.feed.sequence, since == nil ? .anew : .reset)
        places[id] = world.feed.sequence
        if id == 1 {
          versions = world.runs.mapValues(\.notes)
        } else {
          for run in world.ids { read(run, of: world) }
        }
      }
    }
    _ = session.takeReplies()
    self.session = session
  }

  private mutating func read(_ run: PublicID, of world: World) {
    steps[run] = (0..<world.rows[run, default: 0]).map(Int64.init)
  }

  /// Hears of what happened, takes what is to be sent, and reads the first `limit` messages of it; then the line breaks
  /// if there were more.
  mutating func hear(_ world: World, limit: Int = .max) {
    guard var session else { return }
    for (sequence, event) in noted.events { _ = session.receive(sequence, event) }
    noted.events = []
    var left = limit
    while true {
      for frame in session.takeChanges() {
        guard left > 0 else { return disconnect() }
        left -= 1
        take(frame, world)
      }
      guard let debt = session.nextDebt() else { break }
      session.pay(debt, runs: world.runs)
    }
    if session.isUpToDate { places = places.mapValues { _ in world.feed.sequence } }
    self.session = session
  }

  mutating func disconnect() {
    place?.cancel()
    (place, session) = (nil, nil)
  }

  private mutating func take(_ frame: LiveFrame, _ world: World) {
    switch frame {
    case .run(let id, let sequence, let run):
      #expect(sequence > places[id, default: 0], "told in order, and once")
      versions[run.id] = run.notes
      places[id] = sequence
    case .deleted(let id, let sequence, let run):
      if id == 1 { versions[run] = nil }
      places[id] = max(places[id, default: 0], sequence)
    case .points(let points):
      for block in points.blocks {
        let run = world.ids[Int(block.place.run)]
        // What was read over HTTP may hold them already.
        let last = steps[run]?.last ?? -1
        steps[run, default: []] += block.steps.filter { $0 > last }
        #expect(steps[run]?.count == (steps[run]?.last).map { Int($0) + 1 }, "a gap")
      }
    case .message(let message):
      let id = UInt32(message["id"]?.int ?? 0)
      if message["type"] == "told", let sequence = message["seq"]?.int { places[id] = UInt64(sequence) }
      for run in message["type"] == "changed" ? message["runs"]?.array ?? [] : [] {
        if let run = run.string.flatMap(PublicID.init(rawValue:)) { read(run, of: world) }
      }
    case .sweep, .log, .alert: break
    }
  }
}

@Suite struct LiveResumeTests {
  /// Numbers of runs in point frames are given in the order of their first points: here it is made to be that of `ids`.
  @Test(arguments: 0..<60) func `whatever breaks, nothing is missed and nothing comes twice`(seed: UInt64)
    throws
  {
    var dice = SeededNumbers(seed: seed)
    // With little memory many are told to begin anew; with much, none.
    let memory = [4, 32, 8_192][Int(seed % 3)]
    var world = try World(runs: 1, memory: memory)
    let many = try World(runs: 12, memory: 1).ids
    var watcher = Watcher()
    var version = 0
    try watcher.connect(to: world)
    for _ in 0..<400 {
      let run = many[Int.random(in: 0..<many.count, using: &dice)]
      version += 1
      switch Int.random(in: 0..<12, using: &dice) {
      case 0..<4: world.change(run, version: version)
      case 4: world.delete(run)
      case 5..<8: world.log(world.ids[0], rows: Int.random(in: 1...300, using: &dice))
      case 8: watcher.hear(world, limit: Int.random(in: 0...6, using: &dice))
      case 9: watcher.disconnect()
      default: if watcher.session == nil { try watcher.connect(to: world) } else { watcher.hear(world) }
      }
    }
    if watcher.session == nil { try watcher.connect(to: world) }
    watcher.hear(world)
    #expect(watcher.versions == world.runs.mapValues(\.notes))
    #expect(watcher.steps[world.ids[0]] == (0..<world.rows[world.ids[0], default: 0]).map(Int64.init))
    #expect(memory == 4 ? watcher.resets > 0 : watcher.resumes > 0)
    if memory == 8_192 { #expect(watcher.resets == 0) }
  }

  @Test func `ten thousand rows and a million points wait in little room, and all of them are told`() throws {
    var world = try World(runs: 2_000, memory: 8_192)
    var watcher = Watcher()
    try watcher.connect(to: world)
    for round in 0..<5 {
      for id in world.ids { world.change(id, version: round) }
    }
    for _ in 0..<100 { world.log(world.ids[0], rows: 10_000) }
    watcher.hear(world)
    #expect(watcher.versions.count == 2_000 && Set(watcher.versions.values) == ["4"])
    #expect(watcher.steps[world.ids[0]]?.count == 1_000_000)
  }

  @Test func `rows that wait are bounded, others are owed`() throws {
    var world = try World(runs: 2_000, memory: 8_192)
    let access = Access(
      principal: Principal(row: 1, kind: .token, name: "t"), token: nil, scopes: [.read], project: nil,
      run: nil)
    var session = LiveSession(access: access, epoch: "first")
    _ = try session.subscribe(1, to: .runs(project: nil))
    session.announce(1, sequence: 0)
    for (number, id) in world.ids.enumerated() {
      world.change(id, version: number)
      _ = session.receive(UInt64(number + 1), .run(try #require(world.runs[id])))
    }
    let subscription = try #require(session.subscriptions[1])
    #expect(subscription.runs.count == LiveSession.maximumRows)
    #expect(subscription.owed.count == 2_000 - LiveSession.maximumRows)
    #expect(session.nextDebt() == nil, "nothing is read before what waits was taken")
    #expect(session.takeChanges().count == LiveSession.maximumRows)
    // What changes now is told after what is owed.
    _ = session.receive(3_000, .run(try #require(world.runs[world.ids[0]])))
    #expect(!session.hasChanges && !session.isUpToDate)
    let debt = try #require(session.nextDebt())
    session.pay(debt, runs: world.runs)
    #expect(session.takeChanges().count == LiveSession.rowsAtOnce)
    while let debt = session.nextDebt() {
      session.pay(debt, runs: world.runs)
      _ = session.takeChanges()
    }
    #expect(session.isUpToDate)
  }

  @Test func `many subscriptions of one client wait in little room together`() throws {
    var world = try World(runs: LiveSession.maximumRows, memory: 8_192)
    let access = Access(
      principal: Principal(row: 1, kind: .token, name: "t"), token: nil, scopes: [.read], project: nil,
      run: nil)
    var session = LiveSession(access: access, epoch: "first")
    for id: UInt32 in 1...2 {
      _ = try session.subscribe(id, to: .runs(project: nil))
      session.announce(id, sequence: 0)
    }
    for (number, id) in world.ids.enumerated() {
      world.change(id, version: number)
      _ = session.receive(UInt64(number + 1), .run(try #require(world.runs[id])))
    }
    _ = try session.subscribe(3, to: .runs(project: nil))
    let missed = try #require(world.feed.changes(after: 0, epoch: "first"))
    session.announce(3, sequence: 500, .resumed(since: 0, missed: missed))
    #expect(session.nextDebt() == nil, "a thousand rows wait to be taken")
    #expect(session.takeChanges().count == 2 * LiveSession.maximumRows)
    var told = 0
    while let debt = session.nextDebt() {
      session.pay(debt, runs: world.runs)
      told += session.takeChanges().count
    }
    #expect(told == LiveSession.maximumRows && session.isUpToDate)
  }

  @Test func `another server's feed, a number from nowhere, and what is too long ago are not gone on with`()
    throws
  {
    var world = try World(runs: 30, memory: 4)
    for id in world.ids { world.change(id, version: 1) }
    #expect(world.feed.changes(after: 30, epoch: "first") == [])
    #expect(world.feed.changes(after: 29, epoch: "first")?.map(\.sequence) == [30])
    #expect(world.feed.changes(after: 31, epoch: "first") == nil)
    #expect(world.feed.changes(after: 29, epoch: "second") == nil)
    #expect(world.feed.changes(after: 1, epoch: "first") == nil)
    // A row that changes often takes one place.
    for version in 0..<100 { world.change(world.ids[29], version: version) }
    #expect(world.feed.changes(after: 29, epoch: "first")?.map(\.sequence) == [130])
  }
}
