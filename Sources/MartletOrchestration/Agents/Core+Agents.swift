// Attempts that are lent to agents, written down.

import MartletExecution
import MartletModel
import MartletScheduling
import MartletStore
import OrderedCollections

extension Core {
  /// The attempt is an agent's from here on.
  mutating func lend(
    _ id: JobID, _ number: Int, to agent: Agent, _ writer: StoreWriter, _ effects: inout Effects,
    by principal: Principal, _ now: Timestamp
  ) throws {
    guard var attempt = attempt(of: id) else { return }
    (attempt.state, attempt.agent, attempt.isRecovered) = (.starting, agent, false)
    keep(attempt)
    try writer.setAttemptState(
      of: attempt.run, number: number, .starting, devices: [], by: principal, now: now)
    try writer.setAgent(of: attempt.run, number: number, agent.json, by: principal, now: now)
    let token = try giveToken(to: attempt, writer, by: principal, now)
    effects.loan = Effects.Launch(attempt: attempt, devices: [], token: token)
    effects.runs.append(attempt.run)
  }

  /// A token with which an attempt writes to its run; it ends with the attempt.
  func giveToken(
    to attempt: OpenAttempt, _ writer: StoreWriter, by principal: Principal, _ now: Timestamp
  ) throws -> String {
    let secret = TokenSecret.random()
    let owner = try writer.createPrincipal(kind: .attempt, name: attempt.runName, now: now)
    _ = try writer.createToken(
      name: "attempt \(attempt.number)", principal: owner, hash: TokenSecret.hash(secret),
      scopes: [.read, .ingest], project: attempt.project, run: attempt.run, expiresAt: nil, by: principal,
      now: now)
    return secret
  }

  /// What it means that an agent has left an attempt, in whatever way. Whoever was asked to leave because of its values has.
  func abandonment(
    of attempt: OpenAttempt, _ end: AttemptEnd, isBlamed: Bool, _ writer: StoreWriter, _ now: Timestamp
  ) throws -> JobEnd {
    let seconds = end.startedAt.map { max(0, now - $0) } ?? .infinity
    return try judgedEnd(of: attempt, seconds: seconds, writer)
      ?? JobEnd(.abandoned(isBlamed: isBlamed), end.state, reason: end.exit.reason, seconds: seconds)
  }
}
