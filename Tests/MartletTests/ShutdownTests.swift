// What is on its way when the server is asked to end: it arrives, is answered and kept.

import Foundation
import MartletModel
import MartletTestSupport
import Testing

@Suite("the server's end", .serialized)
struct ShutdownTests {
  private static let rows = """
    {"seq": 0, "step": 0, "time": 1790000000000000, "values": {"loss": 0.5}}
    {"seq": 1, "step": 1, "time": 1790000000000001, "values": {"loss": 0.25}}

    """

  @Test(
    "a signal while points are half sent: they are answered, the end is clean, the points are there afterwards",
    arguments: [SIGTERM, SIGINT])
  func halfSent(signal: Int32) async throws {
    try await Workplace.with { place in
      let server = try place.start(["up", "--port", "0"])
      #expect(try await eventually { server.outputSoFar.contains("#code=") })
      let url = place.announcedURL
      let made = try await place.request(
        "POST", "/api/v1/runs", token: place.token, body: #"{"project": "end"}"#)
      let body = try #require(made.firstRange(of: "\r\n\r\n")).upperBound
      let run = try #require(try JSONValue.parse(String(made[body...]))["id"]?.string)

      let connection = try RawConnection(to: url)
      let half = Self.rows.index(Self.rows.startIndex, offsetBy: Self.rows.count / 2)
      try connection.write(
        Workplace.head(
          "POST", "/api/v1/runs/\(run)/log?client=half-sent-client", token: place.token,
          length: Self.rows.utf8.count, type: "application/x-ndjson") + Self.rows[..<half])
      #expect(try await eventually { try connection.isTakenIn() })
      server.signal(signal)
      // It has heard: it takes nobody new.
      #expect(try await eventually { !RawConnection.isAccepted(by: url) })
      try connection.write(String(Self.rows[half...]))
      let answer = try await connection.rest()
      #expect(answer.hasPrefix("HTTP/1.1 200 "), "\(answer)")
      let outcome = try await server.outcome()
      #expect(outcome.status == 0, "\(outcome)")

      let again = try await place.martlet("up", "--detach", "--port", "0")
      #expect(again.status == 0, "\(again)")
      let kept = try await place.request(
        "POST", "/api/v1/series", token: place.token, body: #"{"runs": ["\#(run)"], "keys": ["loss"]}"#)
      #expect(kept.contains("0.25"), "\(kept)")
      let shown = try await place.json("run", "show", run)
      #expect(shown["points"]?.int == 2, "\(shown.text)")
    }
  }
}
