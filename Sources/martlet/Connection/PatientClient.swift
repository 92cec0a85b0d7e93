// Following something while the server may end and come back.

import MartletModel

/// A client that waits for a server that has gone, and finds it again when it comes back at another port.
struct PatientClient {
  private(set) var client: Client
  let interrupts: Interrupts
  /// Lines that were written to standard error.
  private(set) var complaints = 0

  private static let patience: Duration = .seconds(120)

  init(_ client: Client, interrupts: Interrupts) {
    self.client = client
    self.interrupts = interrupts
  }

  /// Reads; waits up to two minutes for a server that does not answer, or until Ctrl-C.
  mutating func get(_ path: String, query: Client.Query = []) async throws -> JSONValue {
    try await send(.get, path, query: query)
  }

  /// As `get`, for questions that need a body: what is sent may be sent twice.
  mutating func send(
    _ method: Client.Method, _ path: String, query: Client.Query = [], body: JSONValue? = nil
  ) async throws -> JSONValue {
    var silentSince: ContinuousClock.Instant?
    while true {
      do {
        let answer = try await client.send(method, path, query: query, body: body)
        if silentSince != nil { complain("the server answers again.") }
        return answer
      } catch let failure as Failure where failure.status == .unavailable {
        if silentSince == nil {
          complain("the server does not answer; what runs goes on without it. Waiting for it …")
        }
        let since = silentSince ?? .now
        silentSince = since
        guard .now - since < Self.patience else { throw failure }
        if interrupts.arePending { throw ExitStatus.interrupted.code }
        await interrupts.pause(for: .milliseconds(300))
        client = try client.place.client() ?? client
      }
    }
  }

  private mutating func complain(_ sentence: String) {
    complaints += 1
    Terminal.complain("martlet: \(sentence)")
  }
}
