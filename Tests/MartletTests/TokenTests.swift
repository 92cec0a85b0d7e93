// `martlet token`: made, shown once, listed without secrets, revoked.

import Foundation
import MartletModel
import Testing

@Suite("token", .serialized)
struct TokenTests {
  @Test("a new token's secret is alone on standard output; it works until it is revoked")
  func life() async throws {
    try await Workplace.withServer { place in
      let made = try await place.martlet("token", "new", "laptop", "--scope", "run", "--expires", "30d")
      #expect(made.status == 0, "\(made)")
      let secret = made.output.trimmingCharacters(in: .newlines)
      #expect(secret.wholeMatch(of: /[A-Za-z0-9_-]{40,}/) != nil)
      func use(_ command: String...) async throws -> Int32 {
        try await place.martlet(command + ["--token", secret, "--url", place.announcedURL]).status
      }
      #expect(try await use("run", "list") == 0)
      #expect(try await use("token", "list") == 77)

      let listed = try await place.martlet("token", "list")
      #expect(listed.output.contains("laptop"))
      #expect(!listed.output.contains(secret))
      let token = try #require(try await place.json("token", "list").array?.first { $0["name"] == "laptop" })
      #expect(token["scopes"]?.array?.contains("run") == true)
      #expect(token["expires_at"]?.int != nil)

      #expect(try await place.martlet("token", "revoke", "laptop").status == 0)
      #expect(try await use("run", "list") == 77)
      let again = try await place.martlet("token", "revoke", "lapptop")
      #expect(again.status == 66, "\(again)")
      #expect(again.errors.contains("'laptop'"))
    }
  }

  @Test("whatever is made with a token keeps its name; a reading token starts nothing")
  func scopes() async throws {
    try await Workplace.withServer { place in
      let runner = try await place.martlet("token", "new", "runner", "--scope", "run").output
      let reader = try await place.martlet("token", "new", "reader", "--scope", "read").output
      let url = place.announcedURL
      func run(_ token: String) async throws -> Outcome {
        try await place.martlet(
          ["run", "--url", url, "--token", token.trimmingCharacters(in: .newlines), "--", "true"])
      }
      #expect(try await run(runner).status == 0)
      #expect(try await run(reader).status == 77)
      let runs = try #require(try await place.json("run", "list").array)
      #expect(runs.count == 1)
      #expect(runs.first?["created_by"]?.string == "runner")
    }
  }

  @Test(
    "what makes no sense is status 64",
    arguments: [["x", "--scope", "raed"], ["x", "--expires", "soon"], ["x", "--expires", "-1d"], []])
  func usage(arguments: [String]) async throws {
    try await Workplace.with { place in
      let outcome = try await place.martlet(["token", "new"] + arguments)
      #expect(outcome.status == 64, "\(outcome)")
      #expect(outcome.errors.hasPrefix("martlet: "))
    }
  }
}
