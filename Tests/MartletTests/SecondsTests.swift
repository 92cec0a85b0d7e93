// Options that are a number of seconds: what no clock can count up to is wrong usage.

import Testing

@Suite("options in seconds")
struct SecondsTests {
  @Test(
    "too long, or no number, is status 64",
    arguments: [
      ["down", "--timeout"], ["sync", "--wait"], ["run", "stop", "x", "--grace"],
      ["sweep", "stop", "x", "--grace"],
      ["token", "new", "x", "--expires"],
    ], ["inf", "1e300", "1e10", "-1", "nan"])
  func tooLong(command: [String], value: String) async throws {
    try await Workplace.with { place in
      let option = try #require(command.last)
      let outcome = try await place.martlet(command.dropLast() + ["\(option)=\(value)"])
      #expect(outcome.status == 64, "\(outcome)")
      #expect(outcome.errors.hasPrefix("martlet: \(option) "), "\(outcome)")
    }
  }

  @Test(
    "a run's time limit and a token's life have an end", arguments: ["1e300", "1e10", "1e300d", "40000d"])
  func span(value: String) async throws {
    try await Workplace.with { place in
      let run = try await place.martlet("run", "--timeout", value, "--", "true")
      #expect(run.status == 64, "\(run)")
      let token = try await place.martlet("token", "new", "x", "--expires", value)
      #expect(token.status == 64, "\(token)")
    }
  }

  @Test("the longest wait there is")
  func longest() async throws {
    try await Workplace.with { place in
      let down = try await place.martlet("down", "--timeout", "1e9")
      #expect(down.status == 0, "\(down)")
      let sync = try await place.martlet("sync", "--wait", "1e9")
      #expect(sync.status == 0, "\(sync)")
    }
  }
}
