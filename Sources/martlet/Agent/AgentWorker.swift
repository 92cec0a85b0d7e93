// One worker of an agent: asks for a trial, runs it, says what became of it, asks for the next.

import Foundation
import MartletExecution
import MartletModel
import MartletOrchestration
import MartletScheduling
import OrderedCollections

struct AgentWorker: Sendable {
  let id = "agent-\(PublicID.random())"
  let name: String
  /// The sweep's id.
  let sweep: String
  /// What its trials may use.
  let held: [Device]
  let server: AgentServer
  let place: AgentPlace
  let shift: AgentShift

  init(
    name: String, sweep: String, held: [Device], server: AgentServer, place: AgentPlace, shift: AgentShift
  ) {
    self.name = name
    self.sweep = sweep
    self.held = held
    self.server = server
    self.place = place
    self.shift = shift
  }

  private static let shortestPause = 0.25
  private static let longestPause = 4.0

  /// Works until the sweep ends, the count is reached, or somebody wants it to leave.
  func work() async {
    do {
      var (pause, told) = (Self.shortestPause, "")
      while shift.mayBegin() {
        switch try await ask() {
        case .lease(let lease)?:
          (pause, told) = (Self.shortestPause, "")
          var trial = AgentTrial(lease, of: self)
          try await trial.run()
        case .wait(let reason)?:
          shift.giveUp()
          if reason != told { Terminal.complain("martlet: waiting: \(Terminal.plain(reason))") }
          told = reason
          await rest(pause)
          pause = min(2 * pause, Self.longestPause)
        case .over(let words)?:
          shift.giveUp()
          return shift.finish(words)
        case nil: return shift.giveUp()
        }
      }
    } catch let failure as Failure {
      shift.fail(failure)
    } catch {
      shift.fail(Failure(.internalError, "\(error)"))
    }
  }

  private enum Answer {
    case lease(Lease)
    case wait(String)
    case over(String)
  }

  private func ask() async throws -> Answer? {
    let body: JSONValue = [
      "agent": .string(id), "name": .string(name), "devices": .int(Int64(held.count)),
    ]
    guard
      let answer = try await untilLeaving({ try await $0.send(.post, "/sweeps/\(sweep)/lease", body: body) })
    else { return nil }
    if let lease = answer["lease"], !lease.isNull {
      do {
        return .lease(try Lease(json: lease))
      } catch {
        throw Failure(
          .internalError, "The server's lease cannot be read: \(error)",
          hint: "Use the same version of martlet as the server.")
      }
    }
    let reason = answer["reason"]?.string
    if let state = answer["over"]?.string {
      return .over("Sweep \(state)\(reason.map { ": \($0)" } ?? ".")")
    }
    return .wait(reason ?? "There is nothing to do now.")
  }

  /// Asks until there is an answer, or somebody wants to leave.
  private func untilLeaving<T: Sendable>(_ ask: (Client) async throws -> T) async throws -> T? {
    while !shift.isLeaving {
      if let answer = try await server.once(ask) { return answer }
      await rest(1)
    }
    return nil
  }

  /// Sleeps, but not through a request to leave.
  private func rest(_ seconds: Double) async {
    let end = ContinuousClock.now + .seconds(seconds)
    while .now < end, !shift.isLeaving {
      // A cancelled sleep only ends earlier.
      try? await Task.sleep(for: .milliseconds(50))
    }
  }
}
