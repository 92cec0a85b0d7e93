// Logs as lines and what runs used, through the real program.

import Foundation
import MartletModel
import MartletTestSupport
import Testing

@Suite("logs and system metrics", .serialized)
struct ConsoleTests {
  private static let script = """
    printf 'start\\n'
    printf '\\r 50%%\\r100%%\\n'
    printf '\\033[31mred\\033[0m\\n'
    printf 'oops\\n' >&2
    printf 'no end'
    """

  @Test("lines are those of a terminal; --raw gives the bytes, --search finds")
  func logs() async throws {
    try await Workplace.withServer { place in
      let ran = try await place.martlet("run", "--name", "noisy", "--", "sh", "-c", Self.script)
      #expect(ran.status == 0, "\(ran)")
      func logs(_ options: String...) async throws -> Outcome {
        try await place.martlet(["run", "logs", "noisy"] + options)
      }
      #expect(try await logs().output == "start\n100%\nred\nno end\n")
      #expect(try await logs("--raw").output == "start\n\r 50%\r100%\n\u{1B}[31mred\u{1B}[0m\nno end")
      #expect(try await logs("--stream", "stderr").output == "oops\n")
      let both = try await logs("--stream", "all").output
      #expect(Set(both.split(separator: "\n")) == ["start", "100%", "red", "oops", "no end"])
      #expect(try await logs("--tail", "2").output == "red\nno end\n")
      #expect(try await logs("--tail", "0").output.isEmpty)
      #expect(try await logs("--follow").output == "start\n100%\nred\nno end\n")
      let timed = try await logs("--times", "--tail", "1").output
      #expect(timed.hasPrefix("20") && timed.hasSuffix(" no end\n"), "\(timed)")
      let found = try await logs("--search", "RED")
      #expect((found.status, found.output) == (0, "3: red\n"))
      let matched = try await logs("--search", "^100%|[rs]ed", "--regex")
      #expect((matched.status, matched.output) == (0, "2: 100%\n3: red\n"), "\(matched)")
      let none = try await logs("--search", "RED", "--match-case")
      #expect((none.status, none.output) == (1, ""))
      let items = try JSONValue.parse(try await logs("--format", "json", "--stream", "stdout").output).array
      #expect(items?.map { $0["text"] } == ["start", "100%", "\u{1B}[31mred\u{1B}[0m", "no end"])
      let csv = try await logs("--search", "100", "--format", "csv").output
      #expect(csv.hasPrefix("n,at,stream,text\n1,20"), "\(csv)")
      for wrong in [
        ["--raw", "--times"], ["--follow", "--search", "x"], ["--stderr", "--stream", "all"],
        ["--raw", "--stream", "all"], ["--attempt", "0"], ["--match-case"], ["--regex"],
        ["--stream", "both"],
      ] { #expect(try await place.martlet(["run", "logs", "noisy"] + wrong).status == 64, "\(wrong)") }
      #expect(try await logs("--attempt", "9").errors.contains("has no attempt 9"))
    }
  }

  @Test("what a command used is sampled, though it knows nothing of Martlet; GPUs by a declared program")
  func system() async throws {
    try await Workplace.with { place in
      let smi = place.root.path + "/nvidia-smi"
      try makeProgram(
        at: smi,
        script: """
          #!/bin/sh
          case "$1" in
            *name*) printf '0, Tesla T4, GPU-1, 4096\\n1, Tesla T4, GPU-2, 4096\\n' ;;
            *) printf '0, 35, 1024, 4096, 61, 250.5\\n1, 1, 1000, 4096, 4, 5\\n' ;;
          esac

          """)
      let up = try await place.martlet(
        ["up", "--detach", "--port", "0", "--sample-every", "0.2"],
        environment: ["MARTLET_NVIDIA_SMI": smi])
      #expect(up.status == 0, "\(up)")
      let started = try await place.martlet(
        "run", "--detach", "--name", "busy", "--gpus", "2", "--", "sleep", "600")
      #expect(started.status == 0, "\(started)")
      try await eventually("it is sampled") {
        let shown = try await place.martlet("run", "system", "busy")
        return shown.output.contains("process/cpu") && shown.output.contains("gpu.1/power")
      }
      let table = try await place.martlet("run", "system", "busy").output
      #expect(table.contains("1.1 GB") && table.contains("250.5 W") && table.contains("61 °C"), "\(table)")
      let metrics = try await place.json("run", "system", "busy").array ?? []
      let power = metrics.first { $0["name"] == "gpu.0/power" }
      #expect(power?["unit"] == "W")
      #expect(power?["last"]?.double == 250.5)
      // Of the run itself nothing is changed by it.
      let run = try await place.json("run", "show", "busy")
      #expect(run["points"] == 0)
      #expect(run["summary"] == [:])
      #expect(try await place.martlet("run", "stop", "busy").status == 0)
      let doctor = try await place.martlet("doctor").output
      #expect(doctor.contains("sampled every 0.2 s; of GPUs, nvidia-smi tells of 2"), "\(doctor)")
    }
  }

  @Test("--sample-every 0 samples nothing; what makes no sense is refused")
  func never() async throws {
    try await Workplace.withServer(["--sample-every", "0"]) { place in
      #expect(try await place.martlet("run", "--name", "short", "--", "true").status == 0)
      let shown = try await place.martlet("run", "system", "short")
      #expect(shown.output.isEmpty)
      #expect(shown.errors.contains("Nothing was sampled"), "\(shown)")
      #expect(!place.exists("\(place.data)/system.db"))
    }
    try await Workplace.with { place in
      for wrong in ["-1", "0.01", "3601", "x"] {
        let outcome = try await place.martlet("up", "--sample-every", wrong)
        #expect(outcome.status == 64, "\(outcome)")
      }
    }
  }

  @Test("a backup has system metrics and sent logs; the doctor reads both")
  func backup() async throws {
    try await Workplace.withServer { place in
      let run = try await place.makeRun("outside")
      try await place.api(
        "POST", "/runs/\(run)/system?client=sampler-1",
        text: #"{"seq":0,"time":1790000000000000,"values":{"cpu":12.5}}"#, type: "application/x-ndjson")
      try await place.api(
        "POST", "/runs/\(run)/logs?client=client-1&offset=0", text: "said\n",
        type: "application/octet-stream")
      #expect(try await place.martlet("run", "logs", run).output == "said\n")
      let copy = place.root.path + "/copy"
      let outcome = try await place.martlet("backup", copy, "--verify")
      #expect(outcome.status == 0, "\(outcome)")
      let checks = try await place.martlet("doctor", "--deep", "--data", copy)
      #expect(checks.output.contains("system samples"), "\(checks)")
      #expect(try await place.martlet("up", "--detach", "--port", "0", "--data", copy).status == 0)
      let other = ["MARTLET_DATA": copy]
      #expect(try await place.martlet(["run", "logs", run], environment: other).output == "said\n")
      #expect(
        try await place.martlet(["run", "system", run], environment: other).output.contains("12.5 %"))
      #expect(try await place.martlet(["down"], environment: other).status == 0)
    }
  }
}
