// Limits of `martlet run -- CMD`: what they do, and what is shown of them.

import Foundation
import MartletModel
import MartletTestSupport
import Testing

@Suite("limits of a command", .serialized)
struct LimitOptionTests {
  @Test("a command is kept within them; its end is explained, and doctor says what keeps them")
  func kept() async throws {
    try await Workplace.withServer { place in
      let seen = try await place.martlet(
        "run", "--cpus", "1", "--open-files", "64", "--memory", "1GB", "--name", "seen", "--", "sh", "-c",
        "echo $OMP_NUM_THREADS $(ulimit -n)")
      #expect(seen.status == 0, "\(seen)")
      #expect(seen.output.contains("1 64"), "\(seen)")
      let hog = "import time; held = bytearray(400000000); time.sleep(300)"
      let outcome = try await place.martlet(
        "run", "--memory", "100MB", "--name", "hog", "--", "python3", "-c", hog)
      #expect(outcome.status == 137, "\(outcome)")
      let shown = try await place.martlet("run", "show", "hog")
      #expect(shown.output.contains("Exit 137: killed by its memory limit of 100 MB after "), "\(shown)")
      #expect(shown.output.contains("Peak memory"), "\(shown)")
      #expect(shown.output.contains("memory 100.0 MB ("), "\(shown)")
      #expect(shown.output.contains("oom"), "\(shown)")
      let loud = try await place.martlet(
        "run", "--output-limit", "10kB", "--name", "loud", "--", "sh", "-c", "exec yes")
      #expect(loud.status != 0)
      let told = try await place.martlet("run", "show", "loud")
      #expect(told.output.contains("Ended by its output limit of 10.0 kB after "), "\(told)")
      let doctor = try await place.martlet("doctor")
      #expect(doctor.output.contains("Limits of attempts are kept by "), "\(doctor)")
    }
  }

  @Test("limits that make no sense are refused with what they should be")
  func refused() async throws {
    try await Workplace.with { place in
      for (options, words) in [
        (["--cpus", "0"], "--cpus must be 1 or more"),
        (["--open-files", "3"], "--open-files must be 16 or more"),
        (["--output-limit", "much"], "--output-limit"),
      ] {
        let outcome = try await place.martlet(["run"] + options + ["--", "true"])
        #expect(outcome.status == 64, "\(options): \(outcome)")
        #expect(outcome.errors.contains(words), "\(outcome)")
      }
    }
  }
}
