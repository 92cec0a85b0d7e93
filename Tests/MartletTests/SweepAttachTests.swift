// `martlet sweep run --attach`: trials one after the other, with their output as it comes.

import Foundation
import MartletModel
import MartletTestSupport
import Testing

@testable import martlet

@Suite("sweep run --attach", .serialized)
struct SweepAttachTests {
  /// Where each of these texts begins, each behind the one before; nil where one is missing.
  private func places(of texts: [String], in output: String) -> [String.Index]? {
    var places: [String.Index] = []
    for text in texts {
      let rest = output[(places.last ?? output.startIndex)...]
      guard let place = rest.range(of: text)?.lowerBound else { return nil }
      places.append(place)
    }
    return places
  }

  @Test("each trial's output stands between its name and its end, one trial at a time")
  func output() async throws {
    try await Workplace.withServer { place in
      try place.writeGrid(
        parallel: 4, before: "print('at work', x, y); print('on the side', x, y, file=sys.stderr)")
      let outcome = try await place.martlet("sweep", "run", "grid.yaml", "--attach")
      #expect(outcome.status == 0, "\(outcome)")
      #expect(outcome.output.contains("1 at a time"))
      var order: [String] = []
      for (number, point) in [(2, 0.5), (2, 0.25), (1, 0.5), (1, 0.25)].enumerated() {
        let words = "\(Double(point.0)) \(point.1)"
        order += [
          "── Trial \(number + 1)/4", "at work \(words)\n", "trained \(words)\n",
          "[\(number + 1)/4]  complete",
        ]
        #expect(outcome.errors.contains("on the side \(words)\n"))
      }
      #expect(places(of: order + ["1.5833", "Sweep finished"], in: outcome.output) != nil, "\(outcome)")
      let sweep = try await place.json("sweep", "show", "grid")
      #expect(sweep["max_parallel"]?.int == 1)
      #expect(sweep["counts"]?["complete"]?.int == 4)
    }
  }

  @Test("--fail-fast ends with the first failure and its traceback", arguments: [true, false])
  func failFast(isAttached: Bool) async throws {
    try await Workplace.withServer { place in
      try place.writeGrid(
        before: """
          if x + y == 2.25: int('no number')
          while x == 1: time.sleep(0.02)
          """)
      let outcome = try await place.martlet(
        ["sweep", "run", "grid.yaml", "--fail-fast", isAttached ? "--attach" : "--sequential"])
      #expect(outcome.status == 1, "\(outcome)")
      #expect(
        places(
          of: [
            "First failure  trial 2", "Traceback (most recent call last):",
            "ValueError: invalid literal for int() with base 10: 'no number'",
          ], in: outcome.output) != nil, "\(outcome)")
      #expect(outcome.errors.contains("(--fail-fast)"))
      let sweep = try await place.json("sweep", "show", "grid")
      #expect(sweep["state"]?.string == "stopped")
      #expect(sweep["counts"]?["complete"]?.int == 1)
    }
  }

  @Test("a retry is told with the reason of the last attempt")
  func retry() async throws {
    try await Workplace.withServer { place in
      try place.write(
        "retry.yaml",
        """
        command: [/bin/sh, -c, "[ -e $MARTLET_RUN_DIR/again ] && printf later && exit; \
        touch $MARTLET_RUN_DIR/again; echo earlier; exit 3"]
        method: grid
        parameters: {x: {values: [1]}}
        retries: {failure: 1}
        retry_pause: 0
        """)
      let outcome = try await place.martlet("sweep", "run", "retry.yaml", "--attach")
      #expect(outcome.status == 0, "\(outcome)")
      #expect(
        places(
          of: ["── Trial 1/1", "earlier\n", "── attempt 2 — the last: Exited with code 3", "later\n[1/1]"],
          in: outcome.output) != nil, "\(outcome)")
      #expect(!outcome.output.contains("First failure"))
    }
  }

  /// Goes on until it is told to, also when it is asked to end.
  private static let stubborn = """
    import signal
    signal.signal(signal.SIGTERM, lambda *_: print('asked to end', flush=True))
    print('begun', flush=True)
    while not os.path.exists('go'): time.sleep(0.02)
    """

  @Test("Ctrl-C asks the trial to end, and the sweep goes on")
  func stopTrial() async throws {
    try await Workplace.withServer { place in
      try place.writeGrid(before: "print('begun', flush=True)\nwhile x + y == 2.5: time.sleep(0.02)")
      let following = try place.start(["sweep", "run", "grid.yaml", "--attach"])
      #expect(try await eventually { following.outputSoFar.contains("begun") })
      following.signal(SIGINT)
      let outcome = try await following.outcome()
      #expect(outcome.status == 0, "\(outcome)")
      #expect(outcome.errors.contains("Ctrl-C again stops the sweep"))
      #expect(outcome.output.contains("[1/4]  failed"), "\(outcome)")
      #expect(!outcome.output.contains("First failure"))
      let counts = try await place.json("sweep", "show", "grid")["counts"]
      #expect(counts?["complete"]?.int == 3)
      #expect(counts?["failed"]?.int == 1)
    }
  }

  @Test("Ctrl-C again asks the sweep")
  func stopSweep() async throws {
    try await Workplace.withServer { place in
      try place.writeGrid(before: Self.stubborn)
      let following = try place.start(["sweep", "run", "grid.yaml", "--attach"])
      #expect(try await eventually { following.outputSoFar.contains("begun") })
      following.signal(SIGINT)
      #expect(try await eventually { following.outputSoFar.contains("asked to end") })
      following.signal(SIGINT)
      #expect(try await eventually { following.errorsSoFar.contains("stopping the sweep") })
      try place.write("go", "")
      let outcome = try await following.outcome()
      #expect(outcome.status == 130, "\(outcome)")
      #expect(try await place.json("sweep", "show", "grid")["state"]?.string == "stopped")
    }
  }

  @Test("--attach does not go with --detach")
  func detach() async throws {
    try await Workplace.with { place in
      try place.writeGrid()
      let outcome = try await place.martlet("sweep", "run", "grid.yaml", "--attach", "--detach")
      #expect(outcome.status == 64)
      #expect(outcome.errors.contains("--attach"))
    }
  }

  @Test("a traceback is the last one, with what led to it")
  func traceback() {
    let chained = """
      noise
      Traceback (most recent call last):
        File "a.py", line 1, in <module>
      KeyError: 'x'

      During handling of the above exception, another exception occurred:

      Traceback (most recent call last):
        File "a.py", line 3, in <module>
      ValueError: no x
      """
    #expect(Traceback.last(in: chained) == String(chained.dropFirst("noise\n".count)))
    let two =
      "Traceback (most recent call last):\n  one\nA: 1\nthen\nTraceback (most recent call last):\n  two\nB: 2\n"
    #expect(Traceback.last(in: two) == "Traceback (most recent call last):\n  two\nB: 2")
    #expect(Traceback.last(in: "a\n\nb\n") == "a\nb")
    #expect(Traceback.last(in: (1...30).map(String.init).joined(separator: "\n")).hasPrefix("21\n"))
    #expect(Traceback.last(in: "") == "")
  }
}
