// Tokens: known by their hash, for as long and as far as they were made for.

import Foundation
import GRDB
import MartletModel
import MartletTestSupport
import Synchronization
import Testing

@testable import MartletStore

@Suite struct TokenTests {
  private func create(
    _ bench: Bench, _ secret: String, _ scopes: [Scope], project: String? = nil, expiresAt: Timestamp? = nil
  ) async throws -> TokenRecord {
    try await bench.store.createToken(
      name: "laptop", kind: .token, hash: TokenSecret.hash(secret), scopes: scopes, project: project,
      run: nil,
      expiresAt: expiresAt, by: bench.me, now: noon)
  }

  private func access(_ bench: Bench, _ secret: String, at now: Timestamp = noon) async throws -> Access? {
    try await bench.store.access(tokenHash: TokenSecret.hash(secret), now: now)
  }

  @Test func onlyTheHashIsKept() async throws {
    let bench = try await Bench()
    let secret = TokenSecret.random()
    let record = try await create(bench, secret, [.read])
    #expect(try await access(bench, secret)?.token == record.id)
    #expect(try await access(bench, secret + "x") == nil)
    #expect(try await access(bench, "") == nil)
    try bench.store.close()
    for name in try FileManager.default.contentsOfDirectory(atPath: bench.directory.path) {
      let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(bench.directory.path)/\(name)"))
      #expect(bytes.range(of: Data(secret.utf8)) == nil)
    }
  }

  @Test(arguments: [
    (Scope.read, [Scope.read]), (.ingest, [.ingest]), (.write, [.write, .read, .ingest]),
    (.run, [.run, .write, .read, .ingest]), (.admin, Scope.allCases),
  ])
  func scopesHoldOthers(scope: Scope, held: [Scope]) async throws {
    let bench = try await Bench()
    let record = try await create(bench, "secret", [scope])
    #expect(record.scopes == [scope])
    let access = try #require(try await access(bench, "secret"))
    #expect(access.scopes == Set(held))
    #expect(access.principal.name == "laptop")
    #expect(access.principal.kind == .token)
    #expect(access.run == nil)
  }

  @Test func expiresAtItsMoment() async throws {
    let bench = try await Bench()
    _ = try await create(bench, "secret", [.read], expiresAt: noon + 60)
    #expect(try await access(bench, "secret", at: noon + 59.999999) != nil)
    #expect(try await access(bench, "secret", at: noon + 60) == nil)
    #expect(try await bench.store.tokens().items.count == 1)
  }

  @Test func revokedOnceAndForAll() async throws {
    let bench = try await Bench()
    let record = try await create(bench, "secret", [.admin])
    let other = try await create(bench, "other", [.read])
    #expect(try await bench.store.revokeToken(record.id, by: bench.me, now: noon + 5)?.revokedAt == noon + 5)
    #expect(try await access(bench, "secret", at: noon + 6) == nil)
    #expect(try await access(bench, "other", at: noon + 6)?.token == other.id)
    // Again changes nothing, and is noted once.
    #expect(try await bench.store.revokeToken(record.id, by: bench.me, now: noon + 9)?.revokedAt == noon + 5)
    #expect(try await bench.store.revokeToken(.random(), by: bench.me, now: noon) == nil)
    let noted = try await bench.store.read {
      try Int.fetchOne($0.db, sql: "SELECT count(*) FROM event WHERE subject = 'token' AND type = 'revoked'")
    }
    #expect(noted == 1)
    let reopened = try bench.reopened()
    #expect(try await access(reopened, "secret", at: noon + 6) == nil)
    #expect(try await reopened.store.tokens().items.map(\.id) == [other.id, record.id])
  }

  @Test func boundToAProject() async throws {
    let bench = try await Bench()
    _ = try await bench.run(in: "digits")
    let record = try await create(bench, "secret", [.write], project: "digits")
    #expect(record.project == "digits")
    #expect(try await access(bench, "secret")?.project == "digits")
    _ = try await problem(.notFound) { _ = try await create(bench, "second", [.read], project: "nowhere") }
    // The refused one left no principal behind.
    let principals = try await bench.store.read {
      try Int.fetchOne($0.db, sql: "SELECT count(*) FROM principal")
    }
    #expect(principals == 2)
  }

  @Test(arguments: [AttemptState.finished, .killed, .lost])
  func anAttemptsTokenEndsWithIt(state: AttemptState) async throws {
    let bench = try await Bench()
    let me = bench.me
    let run = try await bench.executed()
    try await bench.store.write { writer in
      let owner = try writer.createPrincipal(kind: .attempt, name: "bold-wren-1", now: noon)
      _ = try writer.createToken(
        name: "attempt 1", principal: owner, hash: TokenSecret.hash("secret"), scopes: [.read, .ingest],
        project: nil, run: run, expiresAt: nil, by: me, now: noon)
      try writer.setAttemptState(of: run, number: 1, .starting, by: me, now: noon)
      try writer.setAttemptState(of: run, number: 1, .running, by: me, now: noon)
    }
    let access = try #require(try await access(bench, "secret"))
    #expect((access.run, access.principal.kind, access.scopes) == (run, .attempt, [.read, .ingest]))
    #expect(try await bench.store.tokens().items.isEmpty, "attempts' tokens are in no list")
    try await bench.store.write { try $0.setAttemptState(of: run, number: 1, state, by: me, now: noon + 1) }
    #expect((try await self.access(bench, "secret", at: noon + 2) == nil) == state.isEnd)
  }

  @Test func useIsNotedOnceAMinute() async throws {
    let bench = try await Bench()
    _ = try await create(bench, "secret", [.read])
    for (seconds, noted) in [(0.0, 0.0), (59, 0), (60, 0), (61, 61), (62, 61)] {
      _ = try await access(bench, "secret", at: noon + seconds)
      try await eventually("the use at \(seconds) s is noted") {
        try await bench.store.tokens().items.first?.lastUsedAt == noon + noted
          && bench.store.tokensBeingNoted.withLock(\.isEmpty)
      }
    }
  }

  /// On a full disk, what is there must still be readable.
  @Test func aUseThatCannotBeNotedIsAUse() async throws {
    let bench = try await Bench()
    let record = try await create(bench, "secret", [.read])
    try await bench.store.write {
      try $0.db.execute(
        sql: """
          CREATE TRIGGER full BEFORE UPDATE OF last_used_at ON token
          BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END
          """)
    }
    for seconds in 0..<3 {
      #expect(try await access(bench, "secret", at: noon + Double(seconds))?.token == record.id)
      try await eventually("the store refused") { bench.store.tokensBeingNoted.withLock(\.isEmpty) }
    }
    #expect(try await bench.store.tokens().items.first?.lastUsedAt == nil)
    try await bench.store.write { try $0.db.execute(sql: "DROP TRIGGER full") }
    _ = try await access(bench, "secret", at: noon + 9)
    try await eventually("the next use is noted") {
      try await bench.store.tokens().items.first?.lastUsedAt == noon + 9
    }
  }

  @Test func allOfAKindButOneAreRevoked() async throws {
    let bench = try await Bench()
    var local: [PublicID] = []
    for secret in ["a", "b", "c"] {
      local.append(
        try await bench.store.createToken(
          name: "local", kind: .local, hash: TokenSecret.hash(secret), scopes: [.admin], project: nil,
          run: nil, expiresAt: nil, by: nil, now: noon
        ).id)
    }
    _ = try await create(bench, "named", [.read])
    _ = try await bench.store.revokeToken(local[0], by: bench.me, now: noon + 1)
    let revoke = { (kept: PublicID?, seconds: Double) in
      try await bench.store.revokeTokens(kind: .local, except: kept, by: bench.me, now: noon + seconds)
    }
    #expect(try await revoke(local[2], 2) == 1)
    for (secret, isGood) in [("a", false), ("b", false), ("c", true), ("named", true)] {
      #expect((try await access(bench, secret, at: noon + 3) != nil) == isGood, "\(secret)")
    }
    #expect(try await revoke(nil, 4) == 1)
    #expect(try await revoke(nil, 5) == 0)
    #expect(try await access(bench, "named", at: noon + 6) != nil)
    let times = try await bench.store.tokens().items.map(\.revokedAt)
    #expect(times == [nil, noon + 4, noon + 2, noon + 1])
    let noted = try await bench.store.read {
      try Int.fetchOne($0.db, sql: "SELECT count(*) FROM event WHERE subject = 'token' AND type = 'revoked'")
    }
    #expect(noted == 3)
  }

  @Test func theLocalAccountIsOnePrincipal() async throws {
    let bench = try await Bench()
    for secret in ["a", "b"] {
      _ = try await bench.store.createToken(
        name: "local", kind: .local, hash: TokenSecret.hash(secret), scopes: [.admin], project: nil, run: nil,
        expiresAt: nil, by: nil, now: noon)
    }
    let a = try await access(bench, "a")
    #expect(a?.principal == bench.me)
    #expect(try await access(bench, "b")?.principal == a?.principal)
  }
}
