// The server as an agent's workers ask it: one that is silent for a while comes back.

import MartletModel
import Synchronization

final class AgentServer: Sendable {
  private let current: Mutex<Client>
  private let isSilent = Mutex(false)
  private let shift: AgentShift

  /// Seconds from one try to the next.
  private static let pause: Duration = .milliseconds(500)

  init(_ client: Client, shift: AgentShift) {
    current = Mutex(client)
    self.shift = shift
  }

  var client: Client { current.withLock { $0 } }

  /// Asks once; nil: nobody answers now.
  ///
  /// - Throws: `Failure` that says no.
  func once<T: Sendable>(_ ask: (Client) async throws -> T) async throws -> T? {
    let client = client
    do {
      let answer = try await ask(client)
      note(isSilent: false)
      return answer
    } catch let failure as Failure where failure.isPassing {
      note(isSilent: true)
      // It may have come back at another port.
      if let found = try? client.place.client() { current.withLock { $0 = found } }
      return nil
    }
  }

  /// Asks until there is an answer; nil: somebody wants to leave at once.
  ///
  /// - Throws: `Failure` that says no.
  func patiently<T: Sendable>(_ ask: (Client) async throws -> T) async throws -> T? {
    while true {
      if let answer = try await once(ask) { return answer }
      if shift.isImpatient { return nil }
      // A cancelled sleep only tries earlier.
      try? await Task.sleep(for: Self.pause)
    }
  }

  private func note(isSilent now: Bool) {
    let hasChanged = isSilent.withLock { isSilent in
      defer { isSilent = now }
      return isSilent != now
    }
    guard hasChanged else { return }
    Terminal.complain(
      now
        ? "martlet: the server does not answer; what runs goes on without it. Waiting for it …"
        : "martlet: the server answers again.")
  }
}
